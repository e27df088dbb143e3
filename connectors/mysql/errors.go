package mysql

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql/driver"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	mysqldriver "github.com/go-sql-driver/mysql"

	"kvart/app"
	"kvart/connectors/internal/tool"
	"kvart/connectors/internal/volume"
)

// Numbers of the server's errors.
const (
	errAccessDenied   = 1045
	errAccessDenied2  = 1698
	errDBDenied       = 1044
	errUnknownDB      = 1049
	errTableDenied    = 1142
	errColumnDenied   = 1143
	errNeedRight      = 1227
	errRoutineDenied  = 1370
	errViewDenied     = 1345
	errTooMany        = 1040
	errTooManyUser    = 1203
	errHostDenied     = 1130
	errShutdown       = 1053
	errDiskFull       = 1021
	errTableFull      = 1114
	errLockTimeout    = 1205
	errDeadlock       = 1213
	errPacket         = 1153
	errAltered        = 1412
	errNoTable        = 1146
	errViewInvalid    = 1356
	errClientConnect  = 2002
	errClientHost     = 2003
	errClientUnknown  = 2005
	errClientGone     = 2006
	errClientLost     = 2013
	errClientPacket   = 2020
	errClientTLS      = 2026
	errTooBigPacket   = 1301
	errReadOnlyServer = 1290
	errRename         = 7
)

// codeOf turns what the server, the driver or a program said into an
// [app.Error]. It returns nil for nil.
func (c config) codeOf(ctx context.Context, op string, err error) error {
	var known *app.Error
	var refused *mysqldriver.MySQLError
	var exit *tool.ExitError
	switch {
	case err == nil || errors.As(err, &known):
		return err
	case ctx.Err() != nil || errors.Is(err, context.Canceled):
		return &app.Error{Code: app.CodeCanceled, Op: op, Err: err}
	case errors.As(err, &refused):
		return c.serverError(op, int(refused.Number), err)
	case errors.As(err, &exit):
		return c.serverError(op, numberIn(exit.Stderr), err)
	case full(err):
		return tempFull(op, err)
	case errors.Is(err, mysqldriver.ErrNoTLS):
		return c.fail(app.CodeSourcePlain, op, err)
	case untrusted(err):
		return (&app.Error{Code: app.CodeCertificate, Op: op, Err: err}).With("reason", certificateReason(err)).With("where", c.where())
	case lost(err):
		return c.fail(app.CodeSourceOffline, op, err)
	}
	return c.fail(app.CodeSourceUnreadable, op, err)
}

// fail says of which database on which server an error is.
func (c config) fail(code app.Code, op string, err error) *app.Error {
	return (&app.Error{Code: code, Op: op, Err: err}).With("path", c.database).With("where", c.where()).With("user", c.user)
}

// full reports whether a disk of this computer is.
func full(err error) bool {
	return app.CodeOf(volume.TargetError("", "", err)) == app.CodeTargetFull
}

// tempFull is a disk of this computer that is full, named where it is known.
func tempFull(op string, err error) *app.Error {
	e := &app.Error{Code: app.CodeTempFull, Op: op, Err: err}
	var at *fs.PathError
	if errors.As(err, &at) {
		e = e.With("path", filepath.Dir(at.Path))
	}
	return e
}

// tooLarge is a row, or another single thing, beyond what the server hands out
// or takes at once.
func (c config) tooLarge(op string, err error) *app.Error {
	return c.fail(app.CodeSourceTooLarge, op, err).With("setting", "max_allowed_packet")
}

func (c config) serverError(op string, number int, err error) error {
	switch number {
	case errUnknownDB:
		return c.fail(app.CodeSourceGone, op, err)
	case errAccessDenied, errAccessDenied2, errHostDenied:
		return c.fail(app.CodeSourceDenied, op, err)
	case errDBDenied, errTableDenied, errColumnDenied, errNeedRight, errRoutineDenied, errViewDenied:
		return c.fail(app.CodeSourceRight, op, err)
	case errTooMany, errTooManyUser:
		return c.fail(app.CodeSourceBusy, op, err)
	case errShutdown, errClientConnect, errClientHost, errClientUnknown, errClientGone, errClientLost:
		return c.fail(app.CodeSourceOffline, op, err)
	case errLockTimeout, errDeadlock:
		return (&app.Error{Code: app.CodeSourceLocked, Op: op, Err: err}).With("path", c.database)
	case errAltered, errNoTable:
		return c.fail(app.CodeSourceAltered, op, err)
	case errPacket, errTooBigPacket, errClientPacket:
		return c.tooLarge(op, err)
	case errClientTLS:
		return (&app.Error{Code: app.CodeCertificate, Op: op, Err: err}).With("reason", "tls").With("where", c.where())
	}
	if damaging(number) {
		return (&app.Error{Code: app.CodeSourceDamaged, Op: op, Err: err}).With("path", c.database)
	}
	return c.fail(app.CodeSourceUnreadable, op, err)
}

// targetCode is [config.codeOf] for what is written to the server.
func (c config) targetCode(ctx context.Context, op string, err error) error {
	number := numberOf(err)
	var code app.Code
	switch {
	case err == nil || ctx.Err() != nil:
		return c.codeOf(ctx, op, err)
	case number == errDiskFull || number == errTableFull || regexp.MustCompile(`errno: (28|135)\b`).MatchString(err.Error()):
		code = app.CodeTargetFull
	case number == errLockTimeout || number == errDeadlock:
		code = app.CodeTargetInUse
	case number == errReadOnlyServer:
		code = app.CodeTargetReadOnly
	default:
		return c.codeOf(ctx, op, err)
	}
	return (&app.Error{Code: code, Op: op, Err: err}).With("path", c.database)
}

// numberOf returns the server's number for an error, 0 when it has none.
func numberOf(err error) int {
	var refused *mysqldriver.MySQLError
	var exit *tool.ExitError
	switch {
	case errors.As(err, &refused):
		return int(refused.Number)
	case errors.As(err, &exit):
		return numberIn(exit.Stderr)
	}
	return 0
}

// numberIn finds the server's number in what a program wrote: "mysqldump: Got
// error: 1045: Access denied", "ERROR 1114 (HY000) at line 3: …", "mysqldump:
// Couldn't execute 'SHOW …': Table 't' … (1146)". Warnings come first and are
// passed over.
func numberIn(stderr string) int {
	patterns := []string{
		`(?m)^ERROR (\d{4}) `, `Got error: (\d{3,4}):`, `\berror: '?(\d{3,4})\b`, `(?m)^\S+: Error (\d{3,4}): `, `\((\d{3,4})\)\s*$`, `\bError (\d{3,4}): `,
	}
	for _, p := range patterns {
		if m := regexp.MustCompile(p).FindStringSubmatch(strings.TrimSpace(stderr)); m != nil {
			n, err := strconv.Atoi(m[1])
			if err == nil {
				return n
			}
		}
	}
	return 0
}

// damaging reports whether a number means that a table is damaged, or has lost
// its file.
func damaging(number int) bool {
	switch number {
	case 126, 127, 130, 134, 135, 141, 144, 145, 180, 1016, 1017, 1030, 1033, 1034, 1035, 1194, 1195, 1459, 1707, 1712, 1812, 1877, 1932, 1956:
		return true
	}
	return false
}

func lost(err error) bool {
	var op *net.OpError
	var dns *net.DNSError
	return errors.As(err, &op) || errors.As(err, &dns) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, mysqldriver.ErrInvalidConn) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded)
}

func untrusted(err error) bool { return certificateReason(err) != "" }

// certificateReason tells what is wrong with a server's certificate, "" for
// nothing.
func certificateReason(err error) string {
	var verify *tls.CertificateVerificationError
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &unknown):
		return "unknown_authority"
	case errors.As(err, &name):
		return "name"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "expired"
	case errors.As(err, &invalid), errors.As(err, &verify), errors.As(err, &record):
		return "invalid"
	}
	return ""
}
