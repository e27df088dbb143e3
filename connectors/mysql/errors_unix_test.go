//go:build unix

package mysql

import (
	"errors"
	"os"
	"syscall"
	"testing"

	"kvart/app"
)

func TestConfig_codeOf_diskFull(t *testing.T) {
	t.Parallel()
	err := config{database: "d"}.codeOf(t.Context(), "test", &os.PathError{Op: "write", Path: "/tmp/spool/0", Err: syscall.ENOSPC})
	if e := app.AsError(err); e.Code != app.CodeTempFull || e.Args["path"] != "/tmp/spool" || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("%+v", e)
	}
}
