// Before joining: what is on, how many are here, and one click, which browsers want before sound.
import { byId, setText } from '../../dom.js';
import { offerName } from '../../memory.js';
import { NameField, knownName } from '../../name_field.js';
import { strings } from '../../strings.js';
import { sayWho } from '../../whereabouts.js';

const words = strings.gate;

export class Gate {
  #said = '';
  #trouble = ''; // comes before it
  #bar = ''; // and this before all
  #isEntering = false;
  isShut = false; // nobody is let in, and this viewer was not in before

  // Resolves to the viewer's name once they join. Who has just made the session has said that they want in, and is
  // asked nothing: sound comes with the play that they press.
  open({ isMaker }) {
    byId('gate-name').value ||= knownName();
    if (isMaker) return this.#pass(byId('gate-name').value);
    const field = new NameField(byId('gate-name'), byId('gate-name-fault'));
    const joined = new Promise((resolve) => {
      byId('gate-form').addEventListener('submit', (event) => {
        event.preventDefault();
        const name = field.read();
        if (name === null) return byId('gate-name').focus();
        offerName(name);
        byId('gate-join').disabled = true;
        resolve(this.#pass(name));
      });
    });
    // Until here a click would have submitted the form the old way.
    byId('gate-join').disabled = false;
    byId('gate-join').focus();
    return joined;
  }

  async #pass(name) {
    this.#isEntering = true;
    this.#render();
    return name;
  }

  // What the server says of the session.
  // mayPass: its door is no matter to this viewer.
  show(info, mayPass) {
    const { video, door } = info;
    const told = mayPass ? undefined : words.doors[door];
    this.isShut = told !== undefined && door === 'locked';
    this.say([sayWho(info), told].filter(Boolean).join(' '));
    setText(byId('gate-join'), told && door === 'knock' ? words.knock : words.join);
    if (video?.title) setText(byId('gate-title'), video.title);
    showPoster(video?.poster);
  }

  // What is behind it can be seen.
  close() {
    byId('gate').hidden = true;
  }

  say(text) {
    this.#said = text;
    this.#render();
  }

  // What keeps it from opening; '': nothing any more.
  tell(trouble) {
    this.#trouble = trouble;
    this.#render();
  }

  // For this page, when it has been loaded anew.
  keepName() {
    offerName(byId('gate-name').value);
  }

  #render() {
    const fault = this.#bar || this.#trouble;
    setText(byId('gate-words'), fault || (this.#isEntering ? words.entering : this.#said));
    byId('gate-words').classList.toggle('error', fault !== '');
  }

  // There is nothing to join.
  bar(why) {
    this.#bar = why;
    this.#render();
    byId('gate-name-field').hidden = true;
    byId('gate-join').hidden = true;
    byId('gate-home').hidden = false;
    byId('gate-home').focus();
  }
}

// url: undefined where there is none; its place is kept either way, so that nothing moves.
function showPoster(url) {
  const poster = byId('gate-poster');
  poster.addEventListener('load', () => (poster.hidden = false));
  if (url) poster.src = url;
}
