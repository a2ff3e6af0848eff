import { Converter, ReflectionKind } from 'typedoc'

/** The names by which the entry points are imported, by the names that typedoc gives them after their folders. */
const ENTRY_POINTS = {
  src: 'kafkajs-resilient-producer',
  'src/opentelemetry': 'kafkajs-resilient-producer/opentelemetry',
  'src/testing': 'kafkajs-resilient-producer/testing',
}

const isExternal = ({ fileName }) => fileName.includes('node_modules/')

/** Names modules as they are imported, and leaves out what is not of this package: statics of Node's Error, and places in dependencies. */
export const load = app => {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const module of project.getReflectionsByKind(ReflectionKind.Module))
      module.name = ENTRY_POINTS[module.name] ?? module.name
    for (const member of project.getReflectionsByKind(ReflectionKind.ClassMember))
      if (member.flags.isStatic && member.sources?.some(isExternal)) project.removeReflection(member)
  })
  app.converter.on(Converter.EVENT_RESOLVE_END, ({ project }) => {
    for (const reflection of Object.values(project.reflections))
      if (reflection.sources?.some(isExternal)) delete reflection.sources
  })
}
