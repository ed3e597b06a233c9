/**
 * What the round trips are about: a few events with whatever they name, and a selection by each parameter.
 *
 * It knows no client, so that each type-checker judges it by the types that its generator made.
 */

/** Slugs of what is named, and the rows of a batch that makes it all. */
export function storyOf(slug: string) {
  const names = ["alpha", "beta", "paper", "embassy", "article", "denial"] as const;
  const [alpha, beta, paper, embassy, article, denial] = names.map((name) => `${slug}-${name}`) as [
    string, string, string, string, string, string,
  ];
  const toldByPaper = {
    slug: article,
    title: "An article",
    publisher: { slug: paper, name: "The Paper" },
    type: "article" as const,
    published: "2025-02-19",
  };
  const toldByEmbassy = {
    slug: denial,
    title: "A denial",
    publisher: { slug: embassy, name: "The Embassy" },
    type: "post" as const,
    published: "2025-02-20",
  };
  const rows = [
    {
      key: "deployed",
      title: "Deployed",
      occurred: "1999",
      kind: "deployment",
      language: "en",
      tags: ["beginnings", "kfor"],
      places: [{ name: "Prishtina", country: "XK", latitude: 42.66, longitude: 21.17 }],
      actors: [
        { actor: { slug: alpha, name: "Alpha" }, role: "subject" },
        { actor: { slug: beta, name: "Beta" }, role: "host" },
      ],
      claims: [{ source: toldByPaper, stance: "asserts" as const, speakers: [alpha] }],
    },
    {
      key: "declared",
      title: "Declared",
      occurred: "2008-02-17",
      kind: "declaration",
      tags: ["kfor"],
      actors: [{ actor: alpha, role: "host" }],
      claims: [
        { source: toldByPaper, stance: "asserts" as const },
        { source: toldByEmbassy, stance: "denies" as const },
      ],
      relations: [{ type: "depends_on" as const, key: "deployed" }],
    },
    { key: "expected", title: "Expected", phase: "expected" as const, language: "sq" },
  ];
  return { alpha, beta, paper, embassy, article, denial, rows };
}

export type Story = ReturnType<typeof storyOf>;

/** Of what was made: ids, the times of the batch and of the single event, the batch's revision, and a second page. */
export interface Made {
  deployed: string;
  declared: string;
  single: string;
  before: string;
  after: string;
  revision: number;
  next: string;
}

/** A query for each parameter of a listing but `fields` and `include`. */
export function filtersOf(slug: string, { alpha, beta, paper, embassy, article, denial }: Story, made: Made) {
  return {
    from: { from: "2000", to: "2009" },
    to: { to: "2000" },
    match: { from: "1999-06", to: "2010-06", match: "certain" as const },
    undated: { undated: "only" as const },
    actor: { actor: [alpha] },
    actor_match: { actor: [alpha, beta], actor_match: "all" as const },
    role: { actor: [alpha], role: ["host"] },
    source: { source: [denial] },
    publisher: { publisher: [paper] },
    speaker: { speaker: [alpha] },
    stance: { stance: ["denies" as const] },
    published_from: { published_from: "2025-02-20" },
    published_to: { published_to: "2025-02-19" },
    recorded_from: { recorded_from: made.after },
    recorded_to: { recorded_to: made.before },
    standing: { standing: ["contested" as const] },
    min_origins: { min_origins: 1 },
    tag: { tag: ["beginnings"] },
    tag_match: { tag: ["beginnings", "kfor"], tag_match: "all" as const },
    kind: { kind: ["deployment", "declaration"] },
    collection: { collection: [slug] },
    phase: { phase: ["expected" as const] },
    language: { language: ["sq"] },
    country: { country: ["XK"] },
    bbox: { bbox: "20,42,22,43" },
    q: { q: 'alpha or "no such" -declared' },
    related_to: { related_to: made.deployed },
    relation: { related_to: made.deployed, relation: ["causes" as const] },
    direction: { related_to: made.declared, direction: "out" as const },
    key: { key: ["declared", "expected"] },
    id: { id: [made.deployed, made.single] },
    timeline: { timeline: slug },
    as_of: { as_of: made.before },
    revision: { revision: made.revision },
    known_at: { known_at: "2025-02-19" },
    according_to: { according_to: [embassy] },
    according_to_source: { according_to_source: [article] },
    order: { order: "desc" as const },
    limit: { limit: 1 },
    cursor: { limit: 1, cursor: made.next },
  };
}
