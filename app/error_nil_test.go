package app_test

import (
	"testing"

	"kvart/app"
)

// A record that holds no error has a nil [app.Error], which as an error is not nil.
func TestCodeOf_recordWithoutError(t *testing.T) {
	t.Parallel()
	var r app.RestoreRecord
	if code, e := app.CodeOf(r.Error), app.AsError(r.Error); code != "" || e != nil {
		t.Errorf("%q, %v", code, e)
	}
}
