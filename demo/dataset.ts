import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** One feature of the USGS's GeoJSON feed, as far as this program looks into it. */
interface Feature {
  readonly id: string
  readonly properties: { readonly net: string }
}

export interface Earthquake {
  readonly id: string
  /** The seismic network that located it: `ci` is Southern California, `ak` Alaska. */
  readonly network: string
  /** The feature as JSON. */
  readonly json: string
}

/** The 1,707 earthquakes the USGS counted in the week to 7 February 2018 (vega-datasets, public domain). */
export async function loadEarthquakes(): Promise<Earthquake[]> {
  // The package exports its code only: its data lies beside it.
  const entry = createRequire(import.meta.url).resolve('vega-datasets')
  const text = await readFile(join(dirname(dirname(entry)), 'data', 'earthquakes.json'), 'utf8')
  const { features } = JSON.parse(text) as { features: Feature[] }
  return features.map(feature => ({
    id: feature.id,
    network: feature.properties.net,
    json: JSON.stringify(feature),
  }))
}
