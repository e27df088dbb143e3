package sqlserver

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	mssql "github.com/microsoft/go-mssqldb"

	"kvart/app"
)

// Numbers of the server's errors that decide something here.
const (
	errDenied       = 262 // permission denied in database
	errNoDatabase   = 911
	errNoDevice     = 3201 // a backup file can't be opened
	errDamagedPage  = 3043 // BACKUP … WITH CHECKSUM found a damaged page
	errNewer        = 3169 // the backup is of a newer server
	errLicense      = 1827 // Express's limit
	errWriteDevice  = 3202
	errReadDevice   = 3203
	errDevice       = 3271
	errNoSpace      = 3257
	errRestoreRight = 3110
)

// What the system of the server said, in the middle of an error of the
// server's: "Operating system error 5(Access is denied.)".
var systemError = regexp.MustCompile(`\b(\d+)\((?:[A-Z]|null|failed)`)

// System errors, Windows's own numbers also on Linux.
const (
	sysNoFile = 2
	sysNoPath = 3
	sysAccess = 5
	sysFull   = 112
)

// codeOfNumber returns what a number means, "" for those that only say that
// something else went wrong.
func codeOfNumber(n int32) app.Code {
	switch n {
	case 18456, 18452, 18470, 18486, 18487, 18488:
		return app.CodeSourceDenied
	case errNoDatabase, 2520:
		return app.CodeSourceGone
	case 229, 230, errDenied, 297, 300, 916, errRestoreRight, 4060, 5011, 6102, 15151, 15247:
		return app.CodeSourceRight
	case 942, 6005, 17142, 17810:
		return app.CodeSourceOffline
	case 701, 802, 922, 927, 952, 1205, 1222, 3023, 8645:
		return app.CodeSourceBusy
	case 605, 823, 824, 825, 926, 945, errDamagedPage:
		return app.CodeSourceDamaged
	case 924:
		return app.CodeSourceLocked
	case 3101, 3702, 5030, 5061, 5064, 5070:
		return app.CodeTargetInUse
	case errNewer:
		return app.CodeProgramOld
	case errLicense:
		return app.CodeSourceTooLarge
	case 33111:
		return app.CodeSourceEncrypted
	case 3183, 3189, errReadDevice, 3241, 3242, 3243, 3254:
		return app.CodeReadBack
	case 1105, errNoSpace, 5149, 9002:
		return app.CodeTempFull
	case 17835:
		return app.CodeUsage // encryption is a must there, and off here
	}
	return ""
}

// refusal returns the errors of an answer, first to last.
func refusal(err error) []mssql.Error {
	var e mssql.Error
	switch {
	case !errors.As(err, &e):
		return nil
	case len(e.All) > 0:
		return e.All
	}
	return []mssql.Error{e}
}

// refused reports whether the server's answer holds one of the numbers.
func refused(err error, numbers ...int32) bool {
	return slices.ContainsFunc(refusal(err), func(e mssql.Error) bool { return slices.Contains(numbers, e.Number) })
}

// systemNumber returns what the server's system said about a file, 0 for
// nothing.
func systemNumber(e mssql.Error) int {
	switch e.Number {
	case errNoDevice, errWriteDevice, errDevice, 5120, 5123, 5133, 5149, 1105, errNoSpace:
	default:
		return 0
	}
	if m := systemError.FindStringSubmatch(e.Message); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil {
			return n
		}
	}
	return 0
}

// codeOf turns what the server or the driver said into an [app.Error]. It
// returns nil for nil.
func (c config) codeOf(ctx context.Context, op string, err error) error {
	var known *app.Error
	switch {
	case err == nil || errors.As(err, &known):
		return err
	case ctx.Err() != nil || errors.Is(err, context.Canceled):
		return &app.Error{Code: app.CodeCanceled, Op: op, Err: err}
	}
	if answer := refusal(err); len(answer) > 0 {
		return c.serverError(op, answer, err)
	}
	switch reason := certificateReason(err); {
	case reason != "":
		return c.fail(app.CodeCertificate, op, err).With("reason", reason)
	case strings.Contains(err.Error(), "server does not support encryption"), strings.Contains(err.Error(), "encrypt negotiation failed"):
		return c.fail(app.CodeSourcePlain, op, err)
	case lost(err):
		return c.fail(app.CodeSourceOffline, op, err)
	}
	return c.fail(app.CodeSourceUnreadable, op, err)
}

func (c config) fail(code app.Code, op string, err error) *app.Error {
	return (&app.Error{Code: code, Op: op, Err: err}).With("path", c.database).With("where", c.where()).With("user", c.account())
}

func (c config) serverError(op string, answer []mssql.Error, err error) error {
	for _, e := range answer {
		if n := systemNumber(e); n != 0 {
			return c.folderError(op, n, err)
		}
	}
	for _, e := range answer {
		switch code := codeOfNumber(e.Number); code {
		case "":
		case app.CodeUsage:
			return bad(fieldTLS, "%w", err)
		case app.CodeSourceRight:
			return c.fail(code, op, err).With("right", rightIn(e.Message))
		case app.CodeSourceTooLarge:
			return c.fail(code, op, err).With("edition", "SQL Server Express")
		default:
			return c.fail(code, op, err)
		}
	}
	return c.fail(app.CodeSourceUnreadable, op, err)
}

// rightIn finds the right that a refusal names: "CREATE DATABASE permission
// denied in database 'master'.", "The SELECT permission was denied on …".
func rightIn(message string) string {
	if m := regexp.MustCompile(`^(?:The )?([A-Z][A-Z ]+[A-Z]) permission `).FindStringSubmatch(message); m != nil {
		return m[1]
	}
	if strings.Contains(message, "RESTORE") {
		return "RESTORE"
	}
	return ""
}

// folderError says why the server can't use a file of the folder.
func (c config) folderError(op string, system int, err error) error {
	switch system {
	case sysFull:
		return c.fail(app.CodeTempFull, op, err).With("path", c.serverFolder)
	case sysAccess:
		return c.fail(app.CodeSourceRight, op, err).With("path", c.serverFolder).With("right", c.serverFolder).With(argFolder, c.serverFolder)
	}
	return c.fail(app.CodeSourceShareGone, op, err).With("path", c.serverFolder)
}

// argFolder marks a missing right as one to the folder, until it is known which
// account lacks it.
const argFolder = "folder"

// codeOf is [config.codeOf] for what a server said that is known: it can name
// the server's own account, and the command that lets it into the folder.
func (s *session) codeOf(ctx context.Context, op string, err error) error {
	err = s.cfg.codeOf(ctx, op, err)
	var e *app.Error
	if errors.As(err, &e) && e.Args[argFolder] != "" {
		return e.With("user", s.server.account).With("statement", s.server.letIn(s.cfg.serverFolder))
	}
	return err
}

// targetCode is [session.codeOf] for what is written to the server.
func (s *session) targetCode(ctx context.Context, op string, err error) error {
	err = s.codeOf(ctx, op, err)
	var e *app.Error
	switch {
	case !errors.As(err, &e):
	case e.Code == app.CodeTempFull:
		e.Code = app.CodeTargetFull
	case e.Code == app.CodeProgramOld:
		return e.With("program", "SQL Server").With("version", s.server.version)
	}
	return err
}

func lost(err error) bool {
	var op *net.OpError
	var dns *net.DNSError
	var stream mssql.StreamError
	return errors.As(err, &op) || errors.As(err, &dns) || errors.As(err, &stream) || errors.Is(err, driver.ErrBadConn) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, os.ErrDeadlineExceeded) ||
		errors.Is(err, context.DeadlineExceeded) || strings.Contains(err.Error(), "no instance matching") || strings.Contains(err.Error(), "unable to open tcp connection")
}

// certificateReason tells what is wrong with a server's certificate, "" for
// nothing.
func certificateReason(err error) string {
	var verify *tls.CertificateVerificationError
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &unknown):
		return "unknown"
	case errors.As(err, &name):
		return "name"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "expired"
	case errors.As(err, &invalid), errors.As(err, &verify), isHandshake(err) && !lostInside(err):
		return "invalid"
	}
	return ""
}

// lostInside reports whether a handshake failed because the server went away.
func lostInside(err error) bool {
	text := err.Error()
	return strings.Contains(text, "EOF") || strings.Contains(text, "connection reset") || strings.Contains(text, "timeout")
}
