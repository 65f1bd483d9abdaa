// Everything on the player page that concerns the others: who is here, what they say, who rules,
// and the line that says how it stands. Put together here, so that the page has one thing to open.
import { byId } from '../dom.js';
import { strings } from '../strings.js';
import { ChatPanel } from './company/chat_panel.js';
import { Door } from './company/door.js';
import { watchForFilms } from './company/film_watch.js';
import { HostTools } from './company/host_tools.js';
import { Overheard } from './company/overheard.js';
import { PeoplePanel } from './company/people_panel.js';
import { PickerButtons } from './company/picker_buttons.js';
import { QueuePanel } from './company/queue_panel.js';
import { Reactions } from './company/reactions.js';
import { Ready } from './company/ready.js';
import { SharePanel } from './company/share_panel.js';
import { UpNext } from './company/up_next.js';
import { ByEar } from './playback/by_ear.js';
import { Pace } from './playback/pace.js';
import { breaksOff } from './playback/unfinished_film.js';
import { StatusLine } from './status/status_line.js';
import { StatusView } from './status/status_view.js';

const events = strings.events;

// key, link: of the session. isMaker: whether this viewer has just made it. uploadBytesMax(): see film_watch.js.
// confirm(words, yes): asks, resolves to whether it shall be. toast(text): tells for a moment.
// shown, library, inputs, playback: the ShownVideo, VideoList, PageInputs, SharedPlayback. onRender(): whatever else the
// page refreshes at the status line's pace.
/** @param {{room: Room} & Record<string, any>} means */
export function openCompany({ room, key, link, uploadBytesMax, isMaker, follower, source, shown, video, inputs, playback, library, confirm, toast, onRender }) {
  new SharePanel(room, link, { isMaker });
  const chat = new ChatPanel({ room, jump: (seconds) => inputs.act && playback.seekTo(inputs.act, seconds) });
  new Pace({ room, follower, source, toast });
  new ByEar({ room, follower });
  new Reactions({ room, toast });
  new Overheard({ room });
  const people = new PeoplePanel({ room, follower, source, confirm, toast });
  new HostTools({ room, library, confirm });
  new Door({ room });
  new Ready({ room, follower, inputs, playback });
  watchForFilms({ room, key, library, uploadBytesMax, toast });
  new PickerButtons({ room, library, inputs, playback, toast });
  new QueuePanel({ room, inputs, playback });
  const upNext = new UpNext({ room, inputs, playback });
  tellOfHosts(room, (text) => {
    toast(text);
    chat.announce(text);
  });
  tellOfRefusals(room, chat, toast);
  comeBackSoon(room, source, toast);
  fallSilentAtTheEnd(room);
  new StatusLine({
    room, follower, source,
    onRender: () => {
      people.renderOwn();
      upNext.render();
      onRender();
    },
    view: new StatusView({ room, follower, source, video, breaksOff: () => breaksOff(follower, source) }),
    acts: actsOf({ room, follower, source, shown }),
  });
  byId('people-panel').open = matchMedia('(min-width: 900px)').matches;
}

/** @param {{room: Room} & Record<string, any>} means */
function actsOf({ room, follower, source, shown }) {
  return {
    tryNow: () => room.connection.retryNow(),
    takeBack: () => room.connection.start(),
    tryAgain: async () => (await shown.learn()) || source.reload(),
    sound: () => follower.unblock(),
    play: () => follower.unblock(),
    back: () => follower.attach(),
    claim: () => room.claim(),
    otherName: () => location.reload(),
    reload: () => location.reload(),
    home: () => location.assign('/'),
    leave: () => location.assign('/'),
  };
}

/** @param {Room} room @param {(words: string) => void} say */
function tellOfHosts(room, say) {
  room.addEventListener('host', ({ detail: { id, reason, youAreHost, youWereHost } }) => {
    if (youAreHost === youWereHost && youAreHost) return;
    const name = room.presence.nameOf(id) || strings.role.theHost;
    const words = youAreHost ? events.youAreHostNow : id ? events.hostIsNow(name) : events.noHostNow;
    say(reason === 'left' && id ? events.hostLeft(words) : words);
  });
}

/** @param {Room} room @param {any} chat @param {(words: string) => void} toast */
function tellOfRefusals(room, chat, toast) {
  room.addEventListener('refused', ({ detail }) => {
    if (chat.takeRefusal(detail)) return;
    const isOfName = detail.re === 'name' && detail.code !== 'unavailable';
    const words = isOfName ? strings.name.refused(room.you.name) : strings.refusals[detail.code];
    toast(words ?? strings.refusals.other(detail.code));
  });
}

// Nobody would hear it any more.
/** @param {Room} room */
function fallSilentAtTheEnd(room) {
  room.addEventListener('phase', ({ detail }) => {
    const isOver = detail.name === 'closed';
    byId('chat-form').hidden = isOver;
    byId('reactions').hidden = isOver;
    byId('chat-fault').hidden ||= isOver;
  });
}

// A network that is back, or a page that is looked at again, does not wait for the next attempt.
/** @param {Room} room @param {any} source @param {(words: string) => void} toast */
function comeBackSoon(room, source, toast) {
  let lost = false;
  room.addEventListener('phase', ({ detail }) => {
    if (detail.name === 'waiting' && room.you) lost = true;
    if (detail.name !== 'open' || !lost) return;
    lost = false;
    toast(events.reconnected);
    source.retry();
  });
  addEventListener('online', () => room.connection.retryNow());
  document.addEventListener('visibilitychange', () => !document.hidden && room.connection.retryNow());
}
