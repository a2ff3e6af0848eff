// The changelog's sections: `## VERSION`, newest first, with a line for each change.

/** The newest section's heading, and what is under it. */
export const newestSection = changelog => {
  const found = /^## (.+)\n([\s\S]*?)(?=^## |$(?![\s\S]))/m.exec(changelog)
  return found === null ? undefined : { heading: found[1].trim(), text: found[2].trim() }
}

/**
 * Makes the section of a release: the texts of its changesets, then what was written under Unreleased by hand.
 *
 * @param {string} changelog
 * @param {string} version
 * @param {readonly string[]} texts one per changeset
 */
export const withRelease = (changelog, version, texts) => {
  const newest = newestSection(changelog)
  const unreleased = newest?.heading === 'Unreleased' ? newest.text : ''
  const lines = texts.map(
    text =>
      `- ${text
        .trim()
        .replace(/^- /, '')
        .replaceAll(/\n(?!- )/g, '\n  ')}`,
  )
  const section = [
    `## ${version}`,
    '',
    [...lines, unreleased].filter(text => text !== '').join('\n'),
    '',
    '',
  ].join('\n')
  if (newest?.heading === 'Unreleased') {
    const from = changelog.indexOf('## Unreleased')
    const next = changelog.indexOf('\n## ', from + 1)
    return changelog.slice(0, from) + section + (next < 0 ? '' : changelog.slice(next + 1))
  }
  const from = changelog.indexOf('\n## ')
  return from < 0
    ? `${changelog.trimEnd()}\n\n${section}`
    : `${changelog.slice(0, from + 1)}${section}${changelog.slice(from + 1)}`
}

/** The text of a changeset (`.changeset/NAME.md`): what is behind its front matter. */
export const textOfChangeset = file => /^---\n[\s\S]*?\n---\n([\s\S]*)$/.exec(file)?.[1].trim() ?? ''
