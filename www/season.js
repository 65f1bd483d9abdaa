// Episodes as lists show them: those of a season together, below its name.
import { strings } from './strings.js';

// What is above a video in a list: 'Show – Season 2'; '' for what is no episode.
export function seasonOf({ show }) {
  if (!show) return '';
  return show.season === 0 ? strings.season.specials(show.title) : strings.season.called(show.title, show.season);
}

// Its name there, where neither the show's nor the season's is needed.
export function nameInSeason({ id, title, show }) {
  if (!show) return title || id;
  return show.name ? strings.season.episodeCalled(show.episode, show.name) : strings.season.episode(show.episode);
}
