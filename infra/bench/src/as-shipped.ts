/** What the images set for the C library, which otherwise keeps an arena of memory for each thread. */
export const IMAGE_ENV = { MALLOC_ARENA_MAX: "2" };

/** The heap that Node.js 24 picks by itself in a container of this size. */
const HEAPS = {
  "384m": "--max-old-space-size=256 --max-semi-space-size=1",
  "512m": "--max-old-space-size=256 --max-semi-space-size=1",
  "2g": "--max-old-space-size=1024 --max-semi-space-size=32",
};

/** What Compose gives each app. */
export const CONTAINERS = {
  api: "512m",
  "pdf-worker": "2g",
  "email-worker": "384m",
  "marketplace-sync-worker": "384m",
} as const satisfies Record<string, keyof typeof HEAPS>;

/** As Node.js sets itself up in its container, for a process that has a whole machine. */
export const heapOptionsOf = (app: keyof typeof CONTAINERS): string => HEAPS[CONTAINERS[app]];
