package app

// DocumentError is [documentError], for its test.
var DocumentError = documentError
