//go:build !race

package shopify

// spoilt is how many products the wrong import spoils.
const spoilt = 1000
