// Types that the page's modules share. Never served: the modules name them in JSDoc.

/** Resources of the API, by the schema names of its OpenAPI documents. A test compares the fields. */
declare namespace Api {
  type Role = "member" | "moderator" | "admin";

  interface User {
    id: number;
    username: string;
    name: string;
    bio: string;
    role: Role;
    createdAt: string;
  }

  interface Ban {
    reason: string;
    until: string | null;
  }

  interface Me extends User {
    email: string | null;
    ban: Ban | null;
  }

  interface Session {
    id: number;
    createdAt: string;
    lastUsedAt: string;
    userAgent: string | null;
    current: boolean;
  }

  interface StartedSession {
    token: string;
    expiresAt: string;
    user: Me;
  }

  interface ResetLink {
    link: string;
    expiresAt: string;
  }

  interface Thread {
    id: number;
    title: string;
    createdBy: number;
    createdAt: string;
    editedAt: string | null;
    version: number;
    postCount: number;
    lastPostAt: string | null;
    lastPostBy: number | null;
    locked: boolean;
    pinned: boolean;
  }

  interface Post {
    id: number;
    thread: number;
    user: number;
    text: string;
    html: string;
    replyTo: number | null;
    createdAt: string;
    editedAt: string | null;
    editedBy: number | null;
  }

  /** What is left of a removed post, for moderators. */
  interface RemovedPost extends Post {
    removedAt: string;
    removedBy: number | null;
    reason: string | null;
  }

  interface FoundPost extends Post {
    snippet: string;
  }

  interface Unread {
    thread: number;
    readUpTo: number | null;
    count: number;
    first: number | null;
  }

  interface Revision {
    number: number;
    text: string;
    createdAt: string;
    editedBy: number | null;
  }

  /** What a moderator or an admin did to the user who reads it. */
  interface Notice {
    id: number;
    at: string;
    act: string;
    target: number;
    thread: number | null;
    about: string | null;
    reason: string | null;
  }

  interface StoredRow {
    table: string;
    row: Record<string, unknown>;
  }

  interface Act extends Notice {
    moderator: number;
    user: number;
  }

  interface Preview {
    html: string;
  }

  type ReportReason = "spam" | "abuse" | "off-topic" | "other";
  type CaseState = "opened" | "assigned" | "working" | "escalated" | "closed" | "failed";
  type CaseAction = "remove-post" | "lock-thread" | "ban-author" | "none";

  interface Outcome {
    resolved: boolean;
    action: CaseAction;
    note: string | null;
  }

  interface Decision extends Outcome {
    by: number;
    at: string;
  }

  /** A line of a case’s history. */
  interface Event {
    at: string;
    state: CaseState;
    by: number | null;
    note: string | null;
  }

  interface Case {
    id: number;
    post: number;
    author: number;
    thread: number;
    state: CaseState;
    reason: ReportReason;
    note: string | null;
    reporters: number[];
    assignee: number | null;
    tier: number;
    decision: Decision | null;
    message: string;
    createdAt: string;
    closedAt: string | null;
    history: Event[];
  }

  interface Report {
    id: number;
    post: number;
    state: CaseState;
    decision: Outcome | null;
    message: string;
    createdAt: string;
    closedAt: string | null;
  }

  type Counts = Record<CaseState, number>;

  interface Problem {
    type: string;
    title: string;
    status: number;
    detail: string;
    instance: string;
    requestId: string;
    errors?: FieldError[];
  }

  interface FieldError {
    pointer: string;
    detail: string;
  }
}

/** The parts of an OpenAPI document that the page shows. */
declare namespace OpenApi {
  interface Document {
    info: { description: string };
    paths: Record<string, Record<string, Operation>>;
    components: { schemas: Record<string, Schema> };
  }

  interface Operation {
    summary?: string;
    description?: string;
    parameters?: Parameter[];
    requestBody?: { content?: Content };
    responses: Record<string, Response>;
  }

  interface Parameter {
    name: string;
    in: string;
    required?: boolean;
    description?: string;
    schema?: Schema;
  }

  interface Response {
    description: string;
    content?: Content;
  }

  type Content = Record<string, { schema?: Schema }>;

  interface Schema {
    $ref?: string;
    type?: string;
    format?: string;
    description?: string;
    enum?: string[];
    anyOf?: Schema[];
    items?: Schema;
    properties?: Record<string, Schema>;
    required?: string[];
    minLength?: number;
    maxLength?: number;
    minimum?: number;
    maximum?: number;
    pattern?: string;
  }
}

/** Trusted Types (W3C), which TypeScript's DOM library does not know. `innerHTML` takes a TrustedHTML where
 * its type says string. */
declare var trustedTypes:
  { createPolicy(name: string, rules: Page.TrustedTypesRules): Page.TrustedTypesRules } | undefined;

/** Values that the page's modules exchange. */
declare namespace Page {
  type Value = string | number | boolean | null | undefined;

  interface TrustedTypesRules {
    createHTML(html: string): string;
  }

  /** A child of an element; `null`, `undefined` and `false` add nothing. */
  type Child = Node | string | number | false | null | undefined | Child[];

  type Attribute =
    | "autocapitalize"
    | "autofocus"
    | "autocomplete"
    | "class"
    | "cx"
    | "cy"
    | "d"
    | "datetime"
    | "dir"
    | "for"
    | "height"
    | "hidden"
    | "href"
    | "id"
    | "maxlength"
    | "name"
    | "novalidate"
    | "placeholder"
    | "required"
    | "role"
    | "rows"
    | "rx"
    | "scope"
    | "spellcheck"
    | "stroke-width"
    | "tabindex"
    | "text-anchor"
    | "title"
    | "transform"
    | "type"
    | "viewBox"
    | "width"
    | "x"
    | "y";

  type Attributes = { [Name in Attribute | `aria-${string}` | `data-${string}`]?: Value };

  type Listeners = {
    [Name in keyof HTMLElementEventMap as `on${Name}`]?: (event: HTMLElementEventMap[Name]) => unknown;
  };

  type Properties = Attributes & Listeners;

  /** A successful response. */
  interface Answer<Data> {
    status: number;
    headers: Headers;
    data: Data;
  }

  interface RequestOptions {
    /** Sent as JSON. */
    body?: unknown;
    headers?: Record<string, string>;
    signal?: AbortSignal;
    /** Lets the request outlive the page. */
    keepalive?: boolean;
  }

  type Ask = <Data>(method: string, path: string, options?: RequestOptions) => Promise<Answer<Data>>;

  type Pause = (seconds: number, signal?: AbortSignal) => Promise<void>;

  /** One page of a list; `next` is the API path of the next page, or null, and `first` that of the first page, if
   * this one begins elsewhere than its address says. */
  interface ListPage<Item> {
    items: Item[];
    next: string | null;
    first: string | null;
  }

  type Open = (path: string, options: { headers?: Record<string, string>; signal: AbortSignal }) => Promise<Response>;

  /** A call from the service that answered to another one. `callee` is the process that answered the call, such as
   * `users/users-1`, or the service's name if none did; `status` is 0 then. */
  interface InnerCall {
    callee: string;
    operation: string;
    status: number;
    ms: number;
  }

  /** A request of this page. `status` is null while there is no response, and 0 if there was none; `ms` are the
   * milliseconds until the response began. `servedBy` is `cache` for a file that this device had. */
  interface LoggedRequest {
    at: number;
    method: string;
    path: string;
    open: boolean;
    status: number | null;
    ms: number | null;
    servedBy: string | null;
    requestId: string | null;
    traceId: string | null;
    calls: InnerCall[];
  }

  /** The requests to one context, and how many of them each instance answered. */
  interface ContextTraffic {
    context: string;
    count: number;
    instances: { instance: string; count: number }[];
  }

  /** The calls from one instance to an operation of another. */
  interface CallTraffic {
    caller: string;
    callee: string;
    operation: string;
    count: number;
    failed: number;
    meanMs: number;
    longestMs: number;
  }

  /** The percentage of each service's requests that the load balancer sends to the service itself. */
  type Shares = Record<string, number>;

  /** The device's storage for the board, implemented in `storage.js`. */
  interface Storage {
    read<Stored>(name: string, otherwise: Stored): Stored;
    write(name: string, value: unknown): boolean;
    onChangeInOtherTab(name: string, changed: () => void): void;
  }

  /** A post that the board has not acknowledged yet. */
  interface PendingPost {
    /** Its Idempotency-Key. */
    key: string;
    user: number;
    thread: number;
    text: string;
    replyTo: number | null;
    /** `waiting` for its turn, `offline` while the board is down, or `refused` with a problem. */
    state: "sending" | "waiting" | "offline" | "refused";
    /** The time at which it is sent again, in milliseconds. */
    until?: number;
    problem?: import("./static/problem.js").Problem;
  }

  /** The part of a window that the router uses. */
  type Browser = Pick<Window, "addEventListener" | "document" | "history" | "location" | "scrollTo" | "scrollY">;

  interface StreamHandlers {
    /** The stream is connected, and has received its first id. */
    onOpen(): void;
    onEvent(kind: string, data: unknown): void;
    /** The server cannot resume after the last event: read everything again. */
    onReset(): void;
    /** The stream's subject no longer exists. */
    onGone(): void;
  }

  /** The part of a document that a stream watches. */
  interface Visibility extends EventTarget {
    readonly hidden: boolean;
  }

  /** One showing of a view at one address. */
  interface Visit {
    address: URL;
    /** Aborts when the visitor has left for good. */
    signal: AbortSignal;
    /** Sets the page's title; null stands for the board itself. */
    title(text: string | null): void;
    /** Whether the page is kept, to be shown unchanged when the visitor comes back. */
    keep: boolean;
    /** Shows the not-found page instead. */
    notFound(): void;
    /** What the server has sent for this address, for the view to use; null for all but the first view. */
    served: Element | null;
    /** Until the page is filled, leaves what the server has sent in its place, where that is the same page. */
    showWhen(filled: Promise<unknown>): Promise<void>;
    /** Called when only the fragment of the address has changed. */
    hashchanged?(): unknown;
    /** Called when a page that was kept is shown again. */
    resumed?(): void;
  }

  /** Returns an element at once, and fills it as responses arrive. `parts` are the groups of the route. */
  type View = (visit: Visit, ...parts: string[]) => HTMLElement;

  type Route = [pattern: RegExp, load: () => View | Promise<View>];

  /** A post in the page. Of one that the server has sent as HTML, the page does not have the rest. */
  type ShownPost = Omit<Api.Post, "text" | "html"> & Partial<Pick<Api.Post, "text" | "html">>;

  /** What the page needs to know of a thread to say what is new in it. */
  type ShownThread = Pick<Api.Thread, "id" | "postCount" | "lastPostAt">;

  /** What the page shows of a user beside what they wrote. */
  type ShownUser = Pick<Api.User, "id" | "name" | "username" | "role">;

  /** The actions that a post's element offers its reader. */
  interface PostActions {
    reply?(post: ShownPost): void;
    quote?(post: ShownPost): void;
    removed?(id: number): void;
    restored?(id: number): void;
  }
}
