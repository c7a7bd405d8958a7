// Makes the merchant directory: reads the brands of the name-suggestion-index package that may have a loyalty card,
// resolves their locations to ISO 3166-1 alpha-2 codes and hands them, one JSON object a line, to directory.py, which
// merges, names and writes them. Arguments go on to it; --items only prints the lines.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const require = createRequire(import.meta.url)
const coder = require('@rapideditor/country-coder')
const folder = new URL('node_modules/name-suggestion-index/', import.meta.url)
const read = (path) => JSON.parse(readFileSync(new URL(path, folder), 'utf8'))

const irrelevantShops = new Set(
  ('bookmaker cannabis charity copyshop funeral_directors glaziery gold_buyer groundskeeping locksmith lottery ' +
    'money_lender outpost pawnbroker pest_control plant_hire rental storage_rental swimming_pool tool_hire truck ' +
    'truck_repair vacuum_cleaner').split(' '),
)
const otherKinds = new Set(
  ('amenity/bar amenity/cafe amenity/car_rental amenity/car_wash amenity/casino amenity/cinema amenity/fast_food ' +
    'amenity/fuel amenity/ice_cream amenity/karaoke_box amenity/pharmacy amenity/pub amenity/restaurant ' +
    'amenity/veterinary healthcare/laboratory healthcare/sample_collection leisure/amusement_arcade ' +
    'leisure/bowling_alley leisure/escape_game leisure/fitness_centre leisure/indoor_play leisure/sauna ' +
    'leisure/sports_centre leisure/trampoline_park tourism/hostel tourism/hotel tourism/motel ' +
    'tourism/theme_park').split(' '),
)

const mayHaveACard = (kind) => {
  const [key, value] = kind.split('/')
  return key === 'shop' ? !irrelevantShops.has(value) : otherKinds.has(kind)
}

const places = new Map(read('dist/json/featureCollection.min.json').features.map((f) => [f.id.toLowerCase(), f.geometry]))

const middle = (geometry) => {
  const ring = geometry.type === 'Polygon' ? geometry.coordinates[0] : geometry.coordinates[0][0]
  return [0, 1].map((axis) => ring.reduce((sum, point) => sum + point[axis], 0) / ring.length)
}

const countryAt = (point) => [coder.iso1A2Code(point)].filter(Boolean)

const countryOfShape = (name) => {
  const prefix = /^([a-z]{2})-/.exec(name)?.[1]
  if (prefix && coder.feature(prefix)) return [prefix]
  const geometry = places.get(name)
  return geometry ? countryAt(middle(geometry)) : []
}

// A part of a country that has no ISO code of its own (European Russia, England, Metropolitan France) is its country.
const codeOf = ({ iso1A2, country, level }) => (iso1A2 && level !== 'subterritory' ? iso1A2 : country)

const regionCodes = (name) =>
  coder
    .featuresIn(name)
    .map((f) => f.properties)
    .filter((p) => p.level === 'country' || p.level === 'territory' || p.iso1A2 === 'FX')
    .map(codeOf)
    .filter(Boolean)

const whole = ({ iso1A2, level }) => iso1A2 === 'FX' || (iso1A2 && level === 'territory')

// A part of a country stands for the country where a brand is included, and for nothing where it is excluded.
const countries = (place, partsCount) => {
  if (Array.isArray(place)) return partsCount ? countryAt(place.slice(0, 2)) : []
  const name = String(place).toLowerCase()
  if (name === '001') return ['*']
  if (name.endsWith('.geojson')) return partsCount ? countryOfShape(name) : []
  const region = coder.feature(name)
  if (!region) return []
  if (region.properties.level === 'country' && region.properties.iso1A2) return [region.properties.iso1A2]
  if (region.properties.country) return whole(region.properties) || partsCount ? [codeOf(region.properties)] : []
  return regionCodes(name)
}

const codes = (list = [], partsCount) =>
  [...new Set(list.flatMap((place) => countries(place, partsCount)).map((code) => code.toLowerCase()))].sort()

const named = (list = []) =>
  codes(list.filter((place) => Array.isArray(place) || !/^\d{3}$/.test(place)), true).filter((code) => code !== '*')

const nameTag = /^((official|short|alt|int|full)_name|name|brand|brand:short)(:[\w-]+)?$/
const notNames = /wikidata|wikipedia|pronunciation/

const row = (kind, item, facts) => ({
  id: item.id,
  kind,
  name: item.displayName,
  tags: Object.fromEntries(Object.entries(item.tags).filter(([key]) => nameTag.test(key) && !notNames.test(key))),
  match: item.matchNames ?? [],
  wikidata: item.tags['brand:wikidata'] ?? null,
  include: codes(item.locationSet.include, true),
  exclude: codes(item.locationSet.exclude, false),
  named: named(item.locationSet.include),
  label: facts?.label ?? null,
  website: facts?.identities?.website ?? null,
  channels: Object.keys(facts?.identities ?? {}).length,
})

const { version, license } = read('package.json')
const { wikidata } = read('dist/wikidata/wikidata.min.json')
const { nsi } = read('dist/json/nsi.min.json')
const lines = [{ source: `name-suggestion-index ${version}`, license }]
for (const [path, { items }] of Object.entries(nsi)) {
  const kind = path.replace(/^brands\//, '')
  if (kind === path || !mayHaveACard(kind)) continue
  for (const item of items) lines.push(row(kind, item, wikidata[item.tags['brand:wikidata']]))
}
const input = lines.map((line) => JSON.stringify(line)).join('\n') + '\n'
if (process.argv.includes('--items')) {
  process.stdout.write(input)
} else {
  const root = fileURLToPath(new URL('..', import.meta.url))
  const { status, error } = spawnSync('.venv/bin/python', ['-m', 'scripts.directory', ...process.argv.slice(2)], {
    cwd: root,
    input,
    stdio: ['pipe', 'inherit', 'inherit'],
  })
  if (error) throw error
  process.exitCode = status ?? 1
}
