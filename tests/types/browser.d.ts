// What browsers have and TypeScript's library does not know, or not yet.
interface Navigator {
  connection?: { saveData: boolean };
}

interface PerformanceEntryMap {
  navigation: PerformanceNavigationTiming;
  resource: PerformanceResourceTiming;
}

interface Performance {
  getEntriesByType<T extends keyof PerformanceEntryMap>(type: T): Array<PerformanceEntryMap[T]>;
}

// media-chrome names its elements where it defines them; the pages look them up by tag.
interface HTMLElementTagNameMap {
  'media-controller': HTMLElement & { mediaStore: object };
}
