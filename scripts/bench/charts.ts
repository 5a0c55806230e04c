// Charts as SVG, drawn from numbers alone: the same figures give the same bytes.
export interface Axis {
  readonly title: string
  /** Values must be above zero. */
  readonly log?: true
}

export interface Point {
  readonly x: number
  readonly y: number
  readonly label?: string
}

export interface LineChart {
  readonly title: string
  readonly x: Axis
  readonly y: Axis
  readonly series: readonly { readonly name: string; readonly points: readonly Point[] }[]
}

export interface BarChart {
  readonly title: string
  readonly unit: string
  readonly bars: readonly { readonly name: string; readonly value: number }[]
}

const width = 720
const height = 400
const margin = { left: 72, right: 40, top: 64, bottom: 52 } as const
const barHeight = 26
const barNames = 240
const ticksWanted = 5
// told apart by those who do not see red and green alike (Okabe and Ito, 2008)
const colours = ['#0072b2', '#d55e00', '#009e73', '#cc79a7'] as const
const grey = '#666666'

export function lineChart({ title, x, y, series }: LineChart): string {
  const all = series.flatMap(({ points }) => points)
  const [xTicks, yTicks] = [ticksOf(x, all.map((point) => point.x)), ticksOf(y, all.map((point) => point.y))]
  const left = (value: number): number => margin.left + place(x, xTicks, value) * (width - margin.left - margin.right)
  const top = (value: number): number => height - margin.bottom - place(y, yTicks, value) * (height - margin.top - margin.bottom)
  const parts: string[] = []
  for (const tick of yTicks) {
    parts.push(line(margin.left, top(tick), width - margin.right, top(tick)), text(margin.left - 8, top(tick) + 4, number(tick), 'end'))
  }
  for (const tick of xTicks) parts.push(line(left(tick), height - margin.bottom, left(tick), height - margin.bottom + 5), text(left(tick), height - margin.bottom + 20, number(tick), 'middle'))
  parts.push(text((margin.left + width - margin.right) / 2, height - 10, x.title, 'middle'), text(12, margin.top - 14, y.title, 'start'))
  series.forEach(({ name, points }, i) => {
    const colour = colourOf(i)
    parts.push(`<polyline fill="none" stroke="${colour}" stroke-width="2" points="${points.map((point) => `${round(left(point.x))},${round(top(point.y))}`).join(' ')}"/>`)
    for (const point of points) {
      parts.push(`<circle cx="${round(left(point.x))}" cy="${round(top(point.y))}" r="4" fill="${colour}"/>`)
      if (point.label !== undefined) parts.push(text(left(point.x), top(point.y) - 10, point.label, 'middle'))
    }
    parts.push(`<rect x="${width - margin.right - 150}" y="${12 + i * 18}" width="12" height="12" fill="${colour}"/>`, text(width - margin.right - 132, 22 + i * 18, name, 'start'))
  })
  return svg(title, height, parts)
}

export function barChart({ title, unit, bars }: BarChart): string {
  const most = Math.max(...bars.map(({ value }) => value))
  const parts = bars.flatMap(({ name, value }, i) => {
    const at = margin.top + i * barHeight
    const long = (value / most) * (width - barNames - margin.right - 70)
    return [text(barNames - 8, at + 14, name, 'end'), `<rect x="${barNames}" y="${at}" width="${round(long)}" height="${barHeight - 8}" fill="${colourOf(0)}"/>`, text(barNames + long + 8, at + 14, `${number(value)} ${unit}`, 'start')]
  })
  return svg(title, margin.top + bars.length * barHeight + 16, parts)
}

/** Round values that hold all of these between the first and the last; from zero on a linear axis, by 1, 2 and 5 on a logarithmic one. */
export function ticksOf({ log }: Axis, values: readonly number[]): readonly number[] {
  const [least, most] = [Math.min(...values), Math.max(...values)]
  if (log !== true) {
    const step = roundUp((most > 0 ? most : 1) / ticksWanted)
    return Array.from({ length: Math.max(1, Math.ceil(Number((most / step).toFixed(6)))) + 1 }, (_, i) => Number((i * step).toPrecision(12)))
  }
  const ticks = [roundDown(least)]
  while ((ticks.at(-1) as number) < most || ticks.length < 2) ticks.push(roundUp((ticks.at(-1) as number) * 1.5))
  return ticks
}

/** The smallest of …, 1, 2, 5, 10, … that is no smaller. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value))
  const digit = [1, 2, 5, 10].find((one) => value <= one * power * 1.000_001) ?? 10
  return Number((digit * power).toPrecision(12))
}

function roundDown(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value) + 1e-9)
  const digit = [5, 2, 1].find((one) => value >= one * power * 0.999_999) ?? 1
  return Number((digit * power).toPrecision(12))
}

/** Where a value lies between the first tick (0) and the last (1). */
function place({ log }: Axis, ticks: readonly number[], value: number): number {
  const of = (one: number): number => (log === true ? Math.log10(one) : one)
  const [first, last] = [of(ticks[0] as number), of(ticks.at(-1) as number)]
  return (of(value) - first) / (last - first)
}

function svg(title: string, tall: number, parts: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${tall}" font-family="sans-serif" font-size="12">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${width}" height="${tall}" fill="#ffffff"/>`,
    `<text x="12" y="24" font-size="15" font-weight="bold">${escaped(title)}</text>`,
    ...parts,
    '</svg>\n',
  ].join('\n')
}

function line(x1: number, y1: number, x2: number, y2: number): string {
  return `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" stroke="#dddddd"/>`
}

function text(x: number, y: number, content: string, anchor: 'start' | 'middle' | 'end'): string {
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}" fill="${grey}">${escaped(content)}</text>`
}

function colourOf(i: number): string {
  return colours[i % colours.length] as string
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

function number(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 1 })
}

function round(value: number): number {
  return Number(value.toFixed(1))
}
