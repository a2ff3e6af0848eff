/**
 * What is seen of a page: runs in the browser.
 *
 * @returns links to the site, with the address they lead to; the ids; and what is wider than the window and cannot be scrolled to
 */
export const measure = () => {
  const scrolls = element =>
    element !== null &&
    (['auto', 'scroll'].includes(getComputedStyle(element).overflowX) || scrolls(element.parentElement))
  const outside = [...document.querySelectorAll('.vp-doc *, .VPHero *')].filter(
    element =>
      element.getBoundingClientRect().right > innerWidth + 1 && !scrolls(element.closest('svg') ?? element),
  )
  return {
    title: document.title,
    links: [...document.querySelectorAll('a[href]')].map(({ href }) => href),
    ids: [...document.querySelectorAll('[id]')].map(({ id }) => id),
    scrollsSideways: document.documentElement.scrollWidth > innerWidth,
    outside: outside.map(element => element.outerHTML.slice(0, 120)),
  }
}

/** The contrast of an element's text with what is behind it, by WCAG 2: runs in the browser. */
export const contrastOf = element => {
  const channels = colour => colour.match(/[\d.]+/g).map(Number)
  const luminance = colour =>
    channels(colour)
      .slice(0, 3)
      .map(value => value / 255)
      .map(value => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
      .reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index], 0)
  const behind = each => {
    const { backgroundColor } = getComputedStyle(each)
    return (channels(backgroundColor)[3] ?? 1) > 0.5 ? backgroundColor : behind(each.parentElement)
  }
  const [a, b] = [luminance(getComputedStyle(element).color), luminance(behind(element))]
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
}
