// Making elements, without markup as text: nothing here needs a policy for Trusted Types.

type Child = Node | string | null | undefined | false;
type Props = Record<string, unknown>;

/** An element; it is a part by the name of its class, where it has no other. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: Props = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries({ part: props.class, ...props })) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value as EventListener);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child): child is Node | string => Boolean(child)));
  return element;
}

/** A link where the address is one of the web, and its words alone where it is not. */
export function linkTo(address: string | null | undefined, ...words: Child[]): HTMLElement {
  const web = address && /^https?:/i.test(address);
  return web ? h("a", { href: address, rel: "noopener", target: "_blank", part: "link" }, ...words) : h("span", {}, ...words);
}
