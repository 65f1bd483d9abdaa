// The bar on the picture and the keyboard. What concerns everybody is asked of the shared playback;
// sound, captions, quality, full screen and the like are the viewer's own.
import { byId, label, setAttribute, setIcon } from '../../dom.js';
import { describePartTrouble } from '../../faults.js';
import { loadPart } from '../../load_part.js';
import { strings } from '../../strings.js';
import { Sound } from '../playback/sound.js';
import { CaptionLook } from './caption_look.js';
import { CaptionPanel } from './caption_panel.js';
import { CaptionPlacing } from './caption_placing.js';
import { Captions } from './captions.js';
import { createSharedStore } from './media_store.js';
import { translateMediaChrome } from './media_words.js';
import { PictureCaptions } from './picture_captions.js';
import { PictureClicks } from './picture_clicks.js';
import { PictureSize } from './picture_size.js';
import { stepWithTime } from './seek_bar.js';
import { bindKeys } from './shortcuts.js';
import { keepItems } from './speed_menu.js';
import { StageLayout } from './stage_layout.js';

const words = strings.controls;
const SHARED = /** @type {const} */ (['play', 'back', 'forward', 'big-back', 'big-play', 'big-forward', 'rate', 'scrubber']);
const PICTURE = ['video', 'player', 'big-play'];
const STEP_KEYS = ['Enter', ' '];
const TRIES_MAX = 3; // of the help, then it is told

export class Controls {
  #video;
  #inputs;
  #playback;
  #sound;
  #captions;
  #captionPanel;
  #layout = new StageLayout();
  #player = byId('player');
  #size;
  #autohide = this.#player.getAttribute('autohide');

  /** @param {{room: Room} & Record<string, any>} means */
  constructor({ room, video, follower, source, inputs, playback, toast }) {
    this.#video = video;
    this.#inputs = inputs;
    this.#playback = playback;
    this.#sound = new Sound(video, follower);
    this.#captions = new Captions(video);
    this.#size = new PictureSize(video);
    translateMediaChrome();
    reconnect(this.#player);
    this.#player.mediaStore = createSharedStore({
      media: video,
      fullscreenElement: byId('app'),
      inputs,
      playback,
      quality: source.quality,
      audio: source.audio,
      size: this.#size,
      sound: this.#sound,
      captions: this.#captions,
    });
    this.#bindShared();
    this.#bindPicture();
    this.#bindOwn(source);
    this.#openCaptions(source, toast);
    this.#bindMenus();
    this.#keepForFingers();
    this.#bindPanels(room);
    this.#bindKeys(toast);
    this.#playback.addEventListener('change', () => this.#showShared());
    this.#layout.addEventListener('change', () => this.#showLayout());
    this.#showShared();
    this.#showLayout();
  }

  // Cheap enough for four times a second.
  render() {
    this.#playback.refresh();
  }

  // Whoever may not control meets the reason, whatever they try it with.
  #bindShared() {
    const refuse = (event) => {
      const control = event.target.closest?.('[aria-disabled="true"]');
      if (!control || !SHARED.includes(control.id)) return;
      if (event.type === 'keydown' && !STEP_KEYS.includes(event.key)) return;
      event.preventDefault();
      event.stopPropagation();
      if (event.type !== 'click' || control.id !== 'scrubber') this.#playback.refuse();
    };
    for (const type of ['click', 'keydown']) this.#player.addEventListener(type, refuse, { capture: true });
    const scrubber = byId('scrubber');
    stepWithTime(scrubber);
    scrubber.addEventListener('pointerdown', (event) => {
      if (this.#playback.mayControl) this.#playback.holdSeeks();
      else refuse(event);
    }, { capture: true });
    for (const type of ['pointerup', 'pointercancel']) addEventListener(type, () => this.#playback.releaseSeeks());
  }

  #bindPicture() {
    new PictureClicks({
      player: this.#player,
      picture: PICTURE,
      inputs: this.#inputs,
      onSingle: (act) => this.#playback.toggle(act),
      onDouble: () => this.#toggleFull(),
    });
  }

  #showShared() {
    const { mayControl, whyNot, pending, playing } = this.#playback;
    for (const id of SHARED) {
      const control = byId(id);
      setAttribute(control, 'aria-disabled', mayControl ? null : 'true');
      setAttribute(control, 'aria-description', mayControl ? null : whyNot);
      setAttribute(control, 'data-tip', mayControl ? this.#tipOf(id, playing) : whyNot);
    }
    setAttribute(this.#player, 'data-pending', pending);
    this.#player.classList.toggle('may-control', mayControl);
  }

  #tipOf(id, playing) {
    const tips = { back: words.backTip, forward: words.forwardTip, rate: words.speed };
    if (id === 'play') return playing ? words.pause : words.play;
    return tips[id] ?? null;
  }

  #bindOwn({ quality, audio }) {
    const showSound = () => setAttribute(byId('mute'), 'data-tip', this.#sound.silent ? words.unmute : words.mute);
    this.#video.addEventListener('volumechange', showSound);
    showSound();
    const showCaptions = () => {
      byId('captions').hidden = this.#captions.tracks.length === 0;
      this.#player.classList.toggle('captioned', this.#captions.shown !== null);
    };
    for (const type of ['addtrack', 'removetrack', 'change']) this.#video.textTracks.addEventListener(type, showCaptions);
    showCaptions();
    const showQuality = () => (byId('quality').hidden = quality.renditions.length < 2);
    quality.addEventListener('change', showQuality);
    showQuality();
    const showAudio = () => (byId('audio').hidden = audio.tracks.length < 2);
    audio.addEventListener('change', showAudio);
    showAudio();
    byId('pip').hidden = document.pictureInPictureEnabled !== true;
  }

  #openCaptions(source, tell) {
    const look = new CaptionLook();
    const open = () => source.current && look.open(source.current.id);
    source.addEventListener('form', open);
    open();
    const pictures = new PictureCaptions(this.#video, this.#player);
    new CaptionPlacing({ video: this.#video, player: this.#player, captions: this.#captions, pictures, look });
    const menu = this.#player.querySelector('media-captions-menu');
    this.#captionPanel = new CaptionPanel({ captions: this.#captions, look, menu, tell });
  }

  // The library gives an opened menu the focus when a transition ends: never where motion is not
  // wanted, and a second time when it closes, which loses the way back. A press outside closes it.
  #bindMenus() {
    const menus = /** @type {HTMLElement[]} */ ([...this.#player.querySelectorAll('.controls-menu')]);
    const keep = () => this.#keepWhile(this.#captionPanel.isOpen || menus.some(({ hidden }) => !hidden));
    this.#captionPanel.addEventListener('toggle', keep);
    for (const menu of menus) {
      hideWayBack(menu);
      menu.addEventListener('toggle', () => {
        keep();
        if (menu.localName === 'media-rendition-menu') this.#size.hold(!menu.hidden);
        if (!menu.hidden) requestAnimationFrame(() => menu.hidden || menu.focus());
      });
      menu.addEventListener('transitionend', (event) => event.stopImmediatePropagation(), { capture: true });
    }
    keepItems(this.#player.querySelector('media-playback-rate-menu'));
    document.addEventListener('pointerdown', ({ target }) => {
      if (/** @type {Element} */ (target).closest('.controls-menu, [aria-haspopup="menu"]')) return;
      for (const menu of menus) menu.hidden = true;
    });
  }

  // The controls stay while a menu is open, however slowly somebody chooses; the pointer that did not
  // move has the library show them, and count its seconds anew afterwards.
  #keepWhile(isOpen) {
    setAttribute(this.#player, 'autohide', isOpen ? '-1' : this.#autohide);
    this.#player.dispatchEvent(new PointerEvent('pointermove', { pointerType: 'mouse' }));
  }

  // After a touch browsers let a mouse that is not there leave, which would hide the controls at once.
  #keepForFingers() {
    let pointerType = 'mouse';
    this.#player.addEventListener('pointerdown', (event) => (pointerType = event.pointerType), { capture: true });
    this.#player.addEventListener('mouseleave', (event) => {
      if (pointerType === 'touch') event.stopImmediatePropagation();
    }, { capture: true });
  }

  /** @param {Room} room */
  #bindPanels(room) {
    byId('theatre').addEventListener('click', () => this.#layout.toggleTheatre());
    byId('panels').addEventListener('click', () => this.#layout.togglePanels());
    room.addEventListener('chat', () => {
      if (!this.#layout.panels) byId('panels').classList.add('unread');
    });
  }

  #showLayout() {
    const { alone, panels, full } = this.#layout;
    const theatre = byId('theatre');
    theatre.setAttribute('aria-pressed', String(alone));
    name(theatre, alone ? words.leaveTheatre : words.theatre);
    setIcon(theatre, alone ? 'untheatre' : 'theatre');
    const button = byId('panels');
    button.hidden = !alone;
    button.setAttribute('aria-expanded', String(panels));
    if (panels) button.classList.remove('unread');
    name(button, panels ? words.hidePanels : words.showPanels);
    name(byId('help'), strings.help.open);
    setAttribute(byId('full'), 'data-tip', full ? words.leaveFullScreen : words.fullScreen);
    setAttribute(byId('captions'), 'data-tip', words.captions);
    setAttribute(byId('audio'), 'data-tip', words.audio);
    setAttribute(byId('quality'), 'data-tip', words.quality);
    setAttribute(byId('pip'), 'data-tip', words.pictureInPicture);
  }

  #bindKeys(tell) {
    byId('help').addEventListener('click', () => this.#openHelp(tell));
    bindKeys({
      togglePlay: () => this.#playback.toggle(this.#inputs.act),
      seekBy: (seconds) => this.#playback.seekBy(this.#inputs.act, seconds),
      seekToShare: (share) => this.#playback.seekToShare(this.#inputs.act, share),
      changeVolume: (step) => this.#sound.changeVolume(step),
      toggleMute: () => this.#sound.toggle(),
      toggleCaptions: () => this.#toggleCaptions(tell),
      resizeCaptions: (steps) => this.#captionPanel.resize(steps),
      moveCaptions: () => this.#captionPanel.moveOn(),
      delayCaptions: (steps) => this.#captionPanel.delayBy(steps),
      toggleFull: () => this.#toggleFull(),
      toggleTheatre: () => this.#layout.toggleTheatre(),
      togglePopOut: () => byId('pip').hidden || byId('pip').click(),
      help: () => this.#openHelp(tell),
    });
  }

  async #openHelp(tell) {
    try {
      const { openHelp } = await loadPart(() => import('./help.js'), { triesMax: TRIES_MAX });
      openHelp();
    } catch (trouble) {
      tell(describePartTrouble(trouble));
    }
  }

  #toggleCaptions(tell) {
    if (this.#captions.tracks.length === 0) return;
    this.#captions.toggle();
    const { shown } = this.#captions;
    tell(shown ? words.captionsOn(shown.label || shown.language) : words.captionsOff);
  }

  #toggleFull() {
    const type = document.fullscreenElement ? 'mediaexitfullscreenrequest' : 'mediaenterfullscreenrequest';
    this.#player.dispatchEvent(new CustomEvent(type, { composed: true, bubbles: true }));
  }
}

// The elements take most of their words when they are connected, which was before the words came.
function reconnect(player) {
  player.append(...player.querySelectorAll(':scope > :not([slot="media"])'));
}

// Each menu has a button to the menu above it, in a slot that is not shown: there is no such menu here, and some that
// read a page take the button for a part of it all the same, though no menu may have one.
function hideWayBack(menu) {
  menu.shadowRoot.querySelector('[part~="back"]').style.display = 'none';
}

function name(button, text) {
  label(button, text);
  setAttribute(button, 'data-tip', text);
}
