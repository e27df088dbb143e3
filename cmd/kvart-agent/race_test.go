//go:build race

package main

// raced reports that kvart-agent is this test binary with the race detector in
// it, which makes opening a vault ten times as slow.
const raced = true
