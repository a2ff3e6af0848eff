import { jestSuite } from './20-jest.mjs'

export default jestSuite(29, { typescript: '~5.4.0' })
