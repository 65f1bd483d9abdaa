// What an eye can tell apart, by the pixels of a page.

const eyes = new WeakMap(); // of each browser, a page of nobody's: no policy of the tested page's forbids it a picture

// The contrast (WCAG: 1 to 21) between the lightest and the darkest of what is shown where `selector` is.
// Single pixels do not count: as much as 1 % of the place has to be so light, or so dark.
export async function contrastOf(page, selector) {
  const png = await page.locator(selector).screenshot();
  return (await eyeOf(page.context().browser())).evaluate(measure, png.toString('base64'));
}

function eyeOf(browser) {
  if (!eyes.has(browser)) eyes.set(browser, browser.newPage());
  return eyes.get(browser);
}

// Runs in a page.
async function measure(base64) {
  const picture = new Image();
  picture.src = `data:image/png;base64,${base64}`;
  await picture.decode();
  const canvas = new OffscreenCanvas(picture.width, picture.height).getContext('2d');
  canvas.drawImage(picture, 0, 0);
  const { data } = canvas.getImageData(0, 0, picture.width, picture.height);
  const linear = (value) => (value <= 10 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
  const luminances = [];
  for (let i = 0; i < data.length; i += 4) {
    luminances.push(0.2126 * linear(data[i]) + 0.7152 * linear(data[i + 1]) + 0.0722 * linear(data[i + 2]));
  }
  luminances.sort((a, b) => a - b);
  const few = Math.ceil(luminances.length / 100);
  return (luminances.at(-few) + 0.05) / (luminances[few - 1] + 0.05);
}
