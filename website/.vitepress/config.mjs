import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitepress'
import { generate, output } from '../scripts/generate.mjs'
import { sitePages } from '../scripts/pages.mjs'
import { description, name, repository, root, version } from '../scripts/repository.mjs'

const base = `/${name}/`

/** As GitHub does, so that one link to a heading works on both. */
const slugify = heading =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-')

const sidebar = generate()

/** Made by typedoc. Without it (`vitepress dev` alone), the reference is missing, and links to it are dead. */
const apiSidebar = () => {
  const file = `${output}api/typedoc-sidebar.json`
  const sections = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : []
  return [{ text: 'API', link: '/api/' }, ...sections.map(section => ({ ...section, collapsed: false }))]
}

/** Writes the pages anew when one of their sources changes, while `npm run dev` runs. */
const regenerate = {
  name: 'regenerate-pages',
  configureServer(server) {
    const sources = new Set([...sitePages().keys()].map(path => root + path))
    server.watcher.add([...sources])
    server.watcher.on('change', path => sources.has(path) && generate())
  },
}

export default defineConfig({
  base,
  srcDir: '.pages',
  title: name,
  description,
  lang: 'en',
  cleanUrls: true,
  sitemap: { hostname: `https://${name}.github.io${base}` },
  head: [
    ['link', { rel: 'icon', type: 'image/svg+xml', href: `${base}logo.svg` }],
    ['meta', { name: 'theme-color', content: '#0f766e' }],
  ],
  markdown: {
    theme: { light: 'github-light', dark: 'github-dark' },
    anchor: { slugify },
    config(md) {
      const { rules } = md.renderer
      const { fence } = rules
      rules.fence = (tokens, index, ...rest) =>
        tokens[index].info.trim() === 'mermaid'
          ? `<MermaidDiagram code="${encodeURIComponent(tokens[index].content)}" />`
          : fence(tokens, index, ...rest)
      // A long name in a table may be broken between its words.
      const { code_inline: inline } = rules
      rules.code_inline = (tokens, index, ...rest) =>
        inline(tokens, index, ...rest).replace(/(>[^<]*)/, code =>
          code.replace(/(?<=[a-z])(?=[A-Z])|(?<=\.)(?=\w)/g, '<wbr>'),
        )
      // Indented code is of the command line.
      rules.code_block = (tokens, index, ...rest) => {
        tokens[index].info = 'sh'
        return fence(tokens, index, ...rest)
      }
    },
  },
  transformPageData({ relativePath, frontmatter }) {
    // The reference is made of docstrings: there is no page to edit.
    if (relativePath.startsWith('api/')) Object.assign(frontmatter, { editLink: false, pageClass: 'api' })
  },
  vite: {
    publicDir: fileURLToPath(new URL('../public', import.meta.url)),
    plugins: [regenerate],
    // The index of the search is one chunk, which is loaded when somebody searches.
    build: { chunkSizeWarningLimit: 2000 },
  },
  themeConfig: {
    logo: '/logo.svg',
    siteTitle: 'resilient-producer',
    nav: [
      { text: 'Guide', link: '/docs/', activeMatch: '^/docs/(?!options|troubleshooting)' },
      { text: 'Options', link: '/docs/options' },
      { text: 'Troubleshooting', link: '/docs/troubleshooting' },
      { text: 'API', link: '/api/', activeMatch: '^/api/' },
      { text: version, link: '/changelog' },
    ],
    sidebar: {
      '/': sidebar,
      '/api/': apiSidebar(),
    },
    outline: [2, 3],
    search: { provider: 'local' },
    socialLinks: [{ icon: 'github', link: repository }],
    editLink: {
      // Runs in the browser, where this module's names are not known.
      pattern: new Function('page', `return '${repository}/edit/main/' + page.frontmatter.source`),
      text: 'Edit this page on GitHub',
    },
    footer: { message: 'Released under the Apache License 2.0.' },
  },
})
