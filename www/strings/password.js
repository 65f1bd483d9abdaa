// What password.js says, in every language there is. Few ever need it: it comes with that, and not with every page.

export const passwordWords = {
  en: {
    title: 'The server’s password',
    why: 'Who creates sessions or looks through the videos here needs it. To join a session, its link or code is enough.',
    label: 'Password',
    go: 'Continue',
    none: 'Type the password first.',
    wrong: 'That is not this server’s password.',
    tooMany: (waitS) => `Too many wrong passwords came from here. Try again in ${waitS ?? 60}\u00a0s.`,
    library: 'The videos are shown to whoever knows this server’s password.',
    say: 'Enter the password',
  },
  de: {
    title: 'Das Passwort des Servers',
    why: 'Wer hier Sitzungen anlegt oder die Videos durchsieht, braucht es. Um an einer Sitzung teilzunehmen, genügt ihr Link oder Code.',
    label: 'Passwort',
    go: 'Weiter',
    none: 'Gib zuerst das Passwort ein.',
    wrong: 'Das ist nicht das Passwort dieses Servers.',
    tooMany: (waitS) => `Von hier kamen zu viele falsche Passwörter. Versuche es in ${waitS ?? 60}\u00a0s wieder.`,
    library: 'Die Videos sieht, wer das Passwort dieses Servers kennt.',
    say: 'Passwort eingeben',
  },
};
