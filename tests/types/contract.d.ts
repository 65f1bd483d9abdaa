// Made of docs/asyncapi.yaml and docs/openapi.yaml by `make types`; tests/layers compares.
declare namespace Contract {
  type Key = string;
  type Code = string;
  type MemberId = string;
  type MemberIdOrNull = (string | null);
  type Role = ("host" | "participant");
  type Members = Array<{ id: MemberId; name: string; role: Role }>;
  type HostAway = { untilMs: number; next: MemberIdOrNull };
  type Counter = number;
  type Position = number;
  type Rate = number;
  type VideoId = string;
  type Place = number;
  type Echo = (number | string);
  type Form = ("file" | "copy" | "transcode" | "stream");
  type Control = ("host" | "everyone");
  type OnStall = ("continue" | "wait");
  type QueueRight = ("host" | "everyone");
  type Door = ("open" | "knock" | "locked");
  type Controllers = Array<string>;
  type SettingsFields = { control: Control; onStall: OnStall; audioLanguage?: string; queue: QueueRight; controllers: Controllers; door: Door };
  type FilmFields = { video: (string | null); url?: string };
  type StateFields = FilmFields & { epoch: Counter; seq: Counter; playing: boolean; position: Position; rate: Rate; atMs: number; by: MemberIdOrNull; cause: ("play" | "pause" | "seek" | "rate" | "load" | "stall" | "resume" | "ended") };
  type State = StateFields;
  type UpNextFields = { item: string; video: string; title: string; atMs: number };
  type UpNext = UpNextFields;
  type ChatFields = { id: string; from: MemberId; name: string; text: string; atMs: number };
  type ReactionFields = { from: MemberId; emoji: string; atMs: number };
  type Error = { error: { code: string; message: string } };
  type DebugSession = { key: string; worker: number; role: ("home" | "outpost"); members: number; membersHere: number; nodes: Array<string>; queued: number; state: { epoch: number; seq: number; video: string; playing?: boolean; position?: number; rate?: number; atMs?: number } };
  type Duration = number;
  type SourceFields = { type: string; bytes: number; duration?: Duration; url: string; hls?: string };
  type Video = SourceFields & FilmFactsFields & { id: string; title: string; year?: number; show?: { title: string; season: number; episode: number; name?: string }; extra?: string; poster?: string; thumbnails?: string; versions?: Array<SourceFields & { id: string; label: string }>; captions: Array<{ lang: string; label: string; kind?: ("forced" | "sdh" | "cc"); url: string }> };
  type FilmFactsFields = { tracks?: { video?: { codec: string; width: number; height: number; fps: number; hdr: boolean; rotation: number }; audio: Array<{ index: number; codec: string; lang: string; label: string; channels: number; default: boolean }>; subtitles: Array<{ index?: number; codec: string; lang: string; label: string; forced: boolean; url?: string; pictures?: { url: string; spanMs: number } }> }; startMs?: number; endsEarly?: boolean; forms?: Array<{ form: ("file" | "copy" | "transcode"); url: string; type: string; codecs: string }> };
  type SubtitlePictures = { width: number; height: number; cues: Array<{ from: number; to: number; x: number; y: number; w: number; h: number; image: string }> };
}
declare namespace Contract.FromServer {
  type welcome = { type: "welcome"; protocol: 1; you: { id: MemberId; name: string; role: Role; resume: string; ready?: true }; session: SettingsFields & FilmFields & { key: Key; code?: Code; sources?: Array<string> }; host: MemberIdOrNull; state: State; members: { count: number; ready: number; list: Members }; hostAway?: HostAway; upNext?: UpNext; takenOver?: Array<{ epoch: Counter; after: { epoch: Counter; seq: Counter } }>; serverTimeMs: number; reportEveryMs: number };
  type state = StateFields & { type: "state" };
  type host = { type: "host"; epoch: Counter; id: MemberIdOrNull; reason: ("joined" | "given" | "claimed" | "left") };
  type members = { type: "members"; count: number; ready: number; joined: Members; left: Members; changed: Members; hostAway?: HostAway };
  type upload = { type: "upload"; name: string; percent?: number; gone?: true };
  type knocking = { type: "knocking" };
  type knock = ({ type: "knock"; id: string; name: string; gone?: true } | { type: "knock"; id: string; name?: string; gone: true });
  type settings = SettingsFields & { type: "settings" };
  type queue = { type: "queue"; epoch: Counter; version: Counter; from?: number; list: Array<{ item: string; video: string; title: string; by: ({ id: MemberId; name: string } | null) }> };
  type upNext = (UpNextFields & { type: "upNext" } | { type: "upNext"; item: null });
  type pong = { type: "pong"; id: (number | string); t1: (number | string); t2: number; t3: number };
  type viewers = { type: "viewers"; list: Array<{ id: MemberId; driftMs: number; rttMs: number; buffering: boolean; form?: Form; cannotPlay?: true; ready?: true }> };
  type waiting = { type: "waiting"; members: Array<MemberId>; untilMs: number };
  type chat = ChatFields & { type: "chat" };
  type history = { type: "history"; list: Array<ChatFields> };
  type reaction = ReactionFields & { type: "reaction"; more?: Array<ReactionFields> };
  type notice = { type: "notice"; code: ("draining" | "degraded" | "restored" | "undone"); retryAfterMs?: number };
  type error = { type: "error"; code: ("bad_json" | "bad_message" | "unknown_type" | "not_host" | "no_such_member" | "no_such_video" | "no_such_item" | "queue_full" | "out_of_range" | "rate_limited" | "not_admitted" | "unavailable"); message: string; re: string };
}
declare namespace Contract.FromMember {
  type play = { type: "play"; position?: Position; countdownMs?: number };
  type pause = { type: "pause"; position?: Position };
  type seek = { type: "seek"; position: Position };
  type rate = { type: "rate"; rate: Rate };
  type load = ({ type: "load"; video: VideoId; url?: string; duration?: number } | { type: "load"; video?: VideoId; url: string; duration?: number });
  type give = { type: "give"; to: string };
  type claim = { type: "claim"; hostToken: string };
  type settings = { type: "settings"; control?: Control; onStall?: OnStall; audioLanguage?: string; queue?: QueueRight; controllers?: Controllers; door?: Door };
  type kick = { type: "kick"; id: string };
  type admit = { type: "admit"; id: string };
  type refuse = { type: "refuse"; id: string };
  type end = { type: "end" };
  type ping = { type: "ping"; id: Echo; t1: Echo };
  type report = { type: "report"; driftMs: number; rttMs: number; buffering: boolean; position?: Position; form?: Form; cannotPlay?: boolean; ownPace?: boolean; firstFrameMs?: number };
  type chat = { type: "chat"; text: string };
  type reaction = { type: "reaction"; emoji: string };
  type name = { type: "name"; name: string };
  type ready = { type: "ready"; ready: boolean };
  type enqueue = { type: "enqueue"; video: VideoId; at?: Place };
  type dequeue = { type: "dequeue"; item: string };
  type move = { type: "move"; item: string; at: Place };
  type jump = { type: "jump"; item: string };
  type next = { type: "next" };
  type cancelNext = { type: "cancelNext" };
}
declare namespace Contract.Answer {
  type createSession = { key: Key; code?: Code; hostToken: string; url: string };
  type validateSession = ({ valid: true; key: Key } | { valid: false });
  type sessionInfo = SettingsFields & { key: Key; code?: Code; video: (null | Video); members: number; leftMs?: number; state: State; serverTimeMs: number };
  type listVideos = { videos: Array<Video>; folders?: Array<{ path: string; title: string; videos: number }>; next?: string };
  type filmFacts = FilmFactsFields & { duration?: Duration };
  type formFile = SubtitlePictures;
  type debugSessions = { sessions: number; members: number; list: Array<DebugSession> };
}
declare namespace Contract {
  type ServerMessage = FromServer.welcome | FromServer.state | FromServer.host | FromServer.members | FromServer.upload | FromServer.knocking | FromServer.knock | FromServer.settings | FromServer.queue | FromServer.upNext | FromServer.pong | FromServer.viewers | FromServer.waiting | FromServer.chat | FromServer.history | FromServer.reaction | FromServer.notice | FromServer.error;
  type MemberMessage = FromMember.play | FromMember.pause | FromMember.seek | FromMember.rate | FromMember.load | FromMember.give | FromMember.claim | FromMember.settings | FromMember.kick | FromMember.admit | FromMember.refuse | FromMember.end | FromMember.ping | FromMember.report | FromMember.chat | FromMember.reaction | FromMember.name | FromMember.ready | FromMember.enqueue | FromMember.dequeue | FromMember.move | FromMember.jump | FromMember.next | FromMember.cancelNext;
}
