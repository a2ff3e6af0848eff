import { type PanelSpec, ROWS } from './dashboard.js'

const slug = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s-]/gu, '')
    .trim()
    .replace(/\s+/g, '-')

/** Of a panel's picture, from docs. */
export const pictureOf = ({ title }: PanelSpec): string => `dashboard/${slug(title)}.svg`

/** What Grafana makes of a legend's {{label}}. */
export const legendOf = ({ legend }: PanelSpec, labels: Readonly<Record<string, string>>): string =>
  legend.replace(/\{\{(\w+)\}\}/g, (_, label) => labels[label] ?? '')

/** The panels by group, with what each shows and where the runbook goes on. */
export const panelPages = (): string =>
  ROWS.map(({ title, panels, runbook }) =>
    [
      `## ${title}`,
      panels.map(panel => `![${panel.title}](${pictureOf(panel)})`).join('\n'),
      panels.map(({ title, description }) => `- **${title}**: ${description}`).join('\n'),
      `What to do: ${runbook.map(section => `[${section.toLowerCase()}](runbook.md#${slug(section)})`).join(', ')}.`,
    ].join('\n\n'),
  ).join('\n\n')
