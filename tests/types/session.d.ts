// What www/session/room.js tells and takes, in terms of the contract.
type Room = import('../../www/session/room.js').Room;
type Command = Extract<Contract.MemberMessage, { type: 'play' | 'pause' | 'seek' | 'rate' | 'load' | 'next' | 'jump' | 'cancelNext' }>;
type Saying = Exclude<Contract.MemberMessage, Command>;
type FieldsOf<Message, Type> = Message extends { type: Type } ? Omit<Message, 'type'> : never;

type Phase =
  | { name: 'connecting'; attempt: number }
  | { name: 'open' }
  | { name: 'knocking' }
  | { name: 'waiting'; untilMs: number; cause: string; status?: number }
  | { name: 'closed'; reason: string };
type Verdict = { reason?: string; cause?: string; isLasting?: boolean; status?: number };
type StatePlace = { epoch: number; seq: number };
type Named = { id: string; name: string };
type Settings = Required<Contract.SettingsFields>;
type UpNext = Contract.UpNextFields | null;
type SessionMemory = { resume?: string | null; held?: string | null; hostToken?: string | null; controlGivenAway?: boolean; name?: string };

interface RoomEvents {
  phase: Phase;
  welcome: { resumed: boolean };
  state: { state: Contract.State; previous: Contract.State | null };
  settings: Settings;
  knocks: undefined;
  queue: undefined;
  upNext: UpNext;
  ready: undefined;
  history: Contract.ChatFields[];
  people: { joined: Named[]; left: Named[] };
  host: Omit<Contract.FromServer.host, 'type'> & { youAreHost: boolean; youWereHost: boolean };
  undone: undefined;
  upload: Contract.FromServer.upload;
  viewers: Contract.FromServer.viewers;
  waiting: Contract.FromServer.waiting;
  chat: Contract.FromServer.chat;
  reaction: Contract.ReactionFields;
  notice: Contract.FromServer.notice;
  refused: Contract.FromServer.error;
}

interface RoomTarget extends EventTarget {
  addEventListener<Type extends keyof RoomEvents>(
    type: Type, listener: (event: CustomEvent<RoomEvents[Type]>) => void, options?: boolean | AddEventListenerOptions): void;
}
