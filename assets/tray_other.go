//go:build !windows

package assets

func encodeTray(m Mark) ([]byte, error) { return m.PNG(64) }
