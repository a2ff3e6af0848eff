import { nestSuite } from './60-nest.mjs'

export default nestSuite(12, { template: 11, typescript: '~5.9.0', type: 'module' })
