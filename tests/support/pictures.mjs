// Pictures of a page as it is now, as on a desk and as on a phone: with VIDEOSYNC_SCREENSHOTS=folder, else nothing.
import path from 'node:path';

const SIZES = { desk: { width: 1100, height: 680 }, phone: { width: 390, height: 780 } };

// arrange(kind): done before each, 'desk' or 'phone'. Resolves to whether any were taken.
export async function takePictures(page, name, arrange = () => {}) {
  const folder = process.env.VIDEOSYNC_SCREENSHOTS;
  if (!folder) return false;
  const before = page.viewportSize();
  for (const [kind, size] of Object.entries(SIZES)) {
    await page.setViewportSize(size);
    await arrange(kind);
    await page.screenshot({ path: path.join(folder, `${name}-${kind}.png`) });
  }
  await page.setViewportSize(before);
  return true;
}
