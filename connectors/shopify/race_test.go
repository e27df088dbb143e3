//go:build race

package shopify

// spoilt is how many products the wrong import spoils: a few under the race
// detector, which makes everything ten times as slow.
const spoilt = 150
