// What the service answers, as far as it is shown: docs/guides and openapi/openapi.json have all of it.

export interface Occurred {
  edtf: string;
  earliest: string | null;
  latest: string | null;
  precision: string;
  approximate: boolean;
  uncertain: boolean;
  display: string;
}

export interface Claim {
  id: string;
  source: string;
  stance: Stance;
  speakers: string[];
  quote: string | null;
  published: string | null;
}

export type Stance =
  | "asserts"
  | "confirms"
  | "denies"
  | "disputes"
  | "corrects"
  | "retracts"
  | "expects"
  | "mentions";

export interface TimelineEvent {
  id: string;
  key: string | null;
  title: string;
  summary: string | null;
  language: string | null;
  occurred: Occurred | null;
  kind: string | null;
  phase: string;
  actors: { actor: string; role: string | null }[];
  claims: Claim[];
  standing: { state: string; asserting: number; denying: number };
  tags: string[];
  media: { url: string; alt: string | null; caption: string | null; credit: string | null }[];
  revision: number;
}

export interface Source {
  title: string;
  url: string | null;
  publisher: string | null;
}

export interface Included {
  actors: Record<string, { name: string; names: Record<string, string> }>;
  sources: Record<string, Source>;
}

export interface Page {
  items: TimelineEvent[];
  included: Included | null;
  next: string | null;
  revision: number;
}

/** What differs between the two sides of a diff. */
export interface Change {
  op: "added" | "removed" | "changed";
  event?: TimelineEvent;
  before?: TimelineEvent;
  after?: TimelineEvent;
  fields?: string[];
}

export interface Bucket {
  start: string;
  end: string;
  count: number;
  certain: number;
}

export interface Histogram {
  interval: string;
  buckets: Bucket[];
  undated: number;
  matching: number;
  revision: number;
}

export type Facets = Record<string, { value: string; count: number }[] | null> & { matching: number };
