// What an engine's driver throws where the page went elsewhere before an expression had its value.
export class PageLeft extends Error {}
