// The picture in a picture, by the page's own button alone.
//
// Firefox lays a button of its own over the picture, which takes the clicks meant for a menu above it. It
// looks whether it may when it first meets a film, so the element forbids a picture in a picture from the
// beginning, and allows it while the page's button asks for one. Other browsers lay none.

const canPopOut = () => document.pictureInPictureEnabled === true;

// Before the element has a source. css: the browser's, another one for tests.
export function keepOwnButtonAway(video, css = globalThis.CSS) {
  if (!css?.supports('-moz-appearance', 'none') || !canPopOut()) return;
  video.disablePictureInPicture = true;
  video.addEventListener('leavepictureinpicture', () => (video.disablePictureInPicture = true));
}

// To be followed by the request itself.
export function allowPopOut(video) {
  video.disablePictureInPicture = false;
}
