/**
 * The home page, made of the README: its title and first paragraph become the hero, the list of reasons becomes cards, the rest stays as it is.
 *
 * @param markdown the README, with links as `siteLinks` makes them
 * @param hero what the hero shows beside its name and tagline: VitePress's `hero`
 */
export const homeOf = (markdown, hero) => {
  const [, name, tagline, rest] = /^# (.+)\n\n([\s\S]+?)\n\n([\s\S]*)$/.exec(markdown) ?? []
  if (rest === undefined) throw new Error('README.md does not begin with a title and a paragraph')
  const plain = tagline.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/\s*\n\s*/g, ' ')
  const body = rest.replace(/^(## Why\n\n)((?:[-\s] .*\n)+)/m, '$1<div class="cards">\n\n$2\n</div>\n')
  if (body === rest) throw new Error("README.md has no list under '## Why'")
  return { frontmatter: { layout: 'home', hero: { name, tagline: plain, ...hero } }, body }
}
