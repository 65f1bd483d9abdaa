// The words of media-chrome's elements, in the viewer's language: the library's keys, our strings.
import { addTranslation, setLanguage } from '/vendor/media-chrome.js';
import { language, strings } from '../../strings.js';

export function translateMediaChrome() {
  const { controls, media } = strings;
  addTranslation(language, {
    'video player': controls.player,
    play: controls.play,
    pause: controls.pause,
    mute: controls.mute,
    unmute: controls.unmute,
    seek: controls.seek,
    volume: controls.volume,
    quality: controls.quality,
    Audio: controls.audio,
    'closed captions': controls.captions,
    'current playback rate': controls.speed,
    'Playback rate {playbackRate}': controls.speedIs,
    'enter fullscreen mode': controls.fullScreen,
    'exit fullscreen mode': controls.leaveFullScreen,
    'enter picture in picture mode': controls.pictureInPicture,
    'exit picture in picture mode': controls.leavePictureInPicture,
    'seek back {seekOffset} seconds': controls.back,
    'seek forward {seekOffset} seconds': controls.forward,
    'playback time': media.time,
    '{currentTime} of {totalTime}': media.timeOf,
    'video not loaded, unknown time.': media.timeUnknown,
    Auto: media.auto,
    Off: media.off,
    hour: media.hour,
    hours: media.hours,
    minute: media.minute,
    minutes: media.minutes,
    second: media.second,
    seconds: media.seconds,
  });
  setLanguage(language);
}
