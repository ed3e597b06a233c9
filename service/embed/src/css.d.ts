// Style sheets are imported as text, without what only people need in them.

declare module "*.css" {
  const text: string;
  export default text;
}
