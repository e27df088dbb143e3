package ipc

// private has nothing to do: a profile's folders are closed to other accounts.
func private(string) error { return nil }
