// What the player page uses of tus-js-client: uploads that go on after a cut.
export { Upload } from 'tus-js-client';
