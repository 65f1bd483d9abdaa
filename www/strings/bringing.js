// What bringing.js says, in every language there is: it comes with that, where a film is brought.

export const bringingWords = {
  en: {
    choose: 'Bring a film…',
    comes: (name, percent) => `“${name}” is being brought: ${percent} %`,
    isThere: (name) => `“${name}” is there: it can be chosen now.`,
    stop: 'Stop and remove it',
    oneAtATime: 'One film at a time: wait for the other one, or stop it.',
    refused: (code) =>
      ({
        unreachable: 'The connection is lost. Choose the same file again to go on.',
        upload_too_large: 'This file is larger than the server takes.',
        uploads_full: 'The server has no room for it now.',
        storage_full: 'The disk of the server is full. Choose the same file again later to go on.',
        not_a_film: 'The name of this file does not end like that of a film.',
        upload_taken_over: 'It is being brought from another window.',
        uploads_off: 'This server takes no films.',
        not_host: 'Only who made the session can bring a film.',
      })[code] ?? 'The server did not take the film.',
  },
  de: {
    choose: 'Film mitbringen …',
    comes: (name, percent) => `„${name}“ wird übertragen: ${percent} %`,
    isThere: (name) => `„${name}“ ist da und kann gewählt werden.`,
    stop: 'Abbrechen und entfernen',
    oneAtATime: 'Ein Film nach dem anderen: auf den ersten warten oder ihn abbrechen.',
    refused: (code) =>
      ({
        unreachable: 'Die Verbindung ist abgerissen. Dieselbe Datei noch einmal wählen, dann geht es weiter.',
        upload_too_large: 'Diese Datei ist größer, als der Server annimmt.',
        uploads_full: 'Auf dem Server ist jetzt kein Platz dafür.',
        storage_full: 'Die Platte des Servers ist voll. Später dieselbe Datei noch einmal wählen, dann geht es weiter.',
        not_a_film: 'Der Name dieser Datei endet nicht wie der eines Films.',
        upload_taken_over: 'Er wird aus einem anderen Fenster übertragen.',
        uploads_off: 'Dieser Server nimmt keine Filme an.',
        not_host: 'Nur wer die Sitzung erstellt hat, kann einen Film mitbringen.',
      })[code] ?? 'Der Server hat den Film nicht angenommen.',
  },
};
