/** As much XML as S3 speaks: written with S3's escapes, read strictly. */

/** Text, or elements in order; `undefined` leaves an element out; an array repeats it. */
export type XmlValue =
  | string
  | number
  | boolean
  | undefined
  | Raw
  | readonly XmlValue[]
  | { readonly [name: string]: XmlValue };

/** XML already written. */
class Raw {
  readonly xml: string;
  constructor(xml: string) {
    this.xml = xml;
  }
}

export function raw(xml: string): Raw {
  return new Raw(xml);
}

export function document(root: string, prolog = "\n"): string {
  return `<?xml version="1.0" encoding="UTF-8"?>${prolog}${root}`;
}

/** A reply's document: one root in S3's namespace. */
export function s3Document(name: string, ...contents: readonly XmlValue[]): string {
  return document(`<${name} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${contents.map(inner).join("")}</${name}>`);
}

export function element(name: string, content: XmlValue): string {
  if (content === undefined) return "";
  if (Array.isArray(content)) return content.map((each: XmlValue) => element(name, each)).join("");
  return `<${name}>${inner(content)}</${name}>`;
}

function inner(content: XmlValue): string {
  if (content === undefined) return "";
  if (content instanceof Raw) return content.xml;
  if (typeof content !== "object") return escape(String(content));
  return Object.entries(content)
    .map(([name, value]: [string, XmlValue]) => element(name, value))
    .join("");
}

/** S3 writes control characters as references, though XML 1.0 has no such characters: clients must ask for encoding-type=url. */
function escape(text: string): string {
  return text.replaceAll(/[&<>"\u0000-\u001f]/g, (character) => ESCAPES[character] ?? `&#${character.charCodeAt(0)};`);
}

const ESCAPES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

export interface XmlElement {
  /** Without its namespace. */
  readonly name: string;
  readonly children: readonly XmlElement[];
  readonly text: string;
}

/** The root of a document, or `null` where it is none that S3 would take. */
export function parseXml(source: string): XmlElement | null {
  const rest = source.replace(/^\uFEFF?\s*(?:<\?xml[^>]*\?>)?\s*/, "");
  const open: { name: string; children: XmlElement[]; text: string }[] = [{ name: "", children: [], text: "" }];
  let at = 0;
  for (const match of rest.matchAll(TOKEN)) {
    if (match.index !== at) return null;
    at += match[0].length;
    const { text, close, name, empty } = match.groups ?? {};
    const top = open.at(-1);
    if (top === undefined) return null;
    if (text !== undefined) {
      const plain = unescape(text);
      if (plain === null) return null;
      top.text += plain;
    } else if (close !== undefined) {
      const parent = open.at(-2);
      if (parent === undefined || top.name !== local(close)) return null;
      open.pop();
      parent.children.push(top);
    } else if (name !== undefined) {
      const child = { name: local(name), children: [], text: "" };
      const parent = empty === undefined ? open : top.children;
      parent.push(child);
    }
  }
  const [outside, ...unclosed] = open;
  if (at !== rest.length || unclosed.length > 0 || outside?.text.trim() !== "" || outside.children.length !== 1)
    return null;
  return outside.children[0] ?? null;
}

const TOKEN =
  /(?<text>[^<]+)|<\/(?<close>[\w:.-]+)\s*>|<(?<name>[\w:.-]+)(?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*\s*(?<empty>\/)?>|<!--.*?-->/gsy;

function local(name: string): string {
  return name.slice(name.indexOf(":") + 1);
}

function unescape(text: string): string | null {
  let valid = true;
  const plain = text.replaceAll(/&([^;&]*);?/g, (whole, entity: string) => {
    const named = ENTITIES[entity];
    if (named !== undefined && whole.endsWith(";")) return named;
    const number = /^#(?:x([\da-f]{1,6})|(\d{1,7}))$/i.exec(entity);
    const code =
      number === null ? Number.NaN : Number.parseInt(number[1] ?? number[2] ?? "", number[1] === undefined ? 10 : 16);
    if (!(code <= 0x10ffff) || !whole.endsWith(";")) {
      valid = false;
      return "";
    }
    return String.fromCodePoint(code);
  });
  return valid ? plain : null;
}

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/** The text of the first child of this name. */
export function childText(parent: XmlElement, name: string): string | undefined {
  return parent.children.find((child) => child.name === name)?.text;
}
