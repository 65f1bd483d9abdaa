// What emoji_menu.js says, in every language there is: it comes with that, when somebody asks.

export const emojiWords = {
  en: { faces: 'Faces', hands: 'Hands', hearts: 'Hearts and feasts', evening: 'Film night' },
  de: { faces: 'Gesichter', hands: 'Hände', hearts: 'Herzen und Feste', evening: 'Filmabend' },
};
