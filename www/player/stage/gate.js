// Before joining: what is on, how many are here, and one click, which browsers want before sound.
import { byId, setText } from '../../dom.js';
import { offerName } from '../../memory.js';
import { NameField, knownName } from '../../name_field.js';
import { strings } from '../../strings.js';

const words = strings.gate;

export class Gate {
  // Resolves to the viewer's name once they join.
  open() {
    byId('gate-name').value ||= knownName();
    const field = new NameField(byId('gate-name'), byId('gate-name-fault'));
    const joined = new Promise((resolve) => {
      byId('gate-form').addEventListener('submit', (event) => {
        event.preventDefault();
        const name = field.read();
        if (name === null) return byId('gate-name').focus();
        offerName(name);
        byId('gate-join').disabled = true;
        resolve(name);
      });
    });
    // Until here a click would have submitted the form the old way.
    byId('gate-join').disabled = false;
    byId('gate-join').focus();
    return joined;
  }

  // What the server says of the session.
  show({ members, video }) {
    this.say(words.watching(members));
    if (video?.title) setText(byId('gate-title'), video.title);
    showPoster(video?.poster);
  }

  // What is behind it can be seen.
  close() {
    byId('gate').hidden = true;
  }

  say(text) {
    setText(byId('gate-words'), text);
  }

  // There is nothing to join.
  bar(why) {
    this.say(why);
    byId('gate-words').classList.add('error');
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
