package assets

// encodeTray returns the sizes Windows asks for between 100 and 300 percent.
func encodeTray(m Mark) ([]byte, error) { return m.ICO(16, 20, 24, 32, 40, 48) }
