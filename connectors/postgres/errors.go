package postgres

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"kvart/app"
	"kvart/connectors/internal/tool"
)

// stateFull is the server's code for a disk that is full.
const stateFull = "53100"

// sqlState returns the server's code for what went wrong, "" when it was not
// the server that said so.
func sqlState(err error) string {
	var pe *pgconn.PgError
	if errors.As(err, &pe) {
		return pe.Code
	}
	return ""
}

// codeOf turns what the server, pg_dump or the network said into an
// [app.Error]. It returns nil for nil.
func (l *link) codeOf(ctx context.Context, op string, err error) error {
	var known *app.Error
	var exit *tool.ExitError
	switch {
	case err == nil || errors.As(err, &known):
		return err
	case ctx.Err() != nil && errors.Is(ctx.Err(), context.Canceled), errors.Is(err, context.Canceled):
		return &app.Error{Code: app.CodeCanceled, Op: op, Err: err}
	case sqlState(err) != "":
		return l.stateError(op, err)
	case errors.As(err, &exit):
		return l.exitError(op, exit)
	case errors.Is(err, tool.ErrTruncated):
		return l.fail(app.CodeSourceUnreadable, op, err)
	case untrusted(err) != "":
		return (&app.Error{Code: app.CodeCertificate, Op: op, Err: err}).With("reason", untrusted(err)).With("where", l.where())
	case strings.Contains(err.Error(), "server refused TLS"):
		return l.fail(app.CodeSourcePlain, op, err)
	case offline(err):
		return l.fail(app.CodeSourceOffline, op, err)
	}
	return &app.Error{Code: app.CodeInternal, Op: op, Err: err}
}

// fail says of which database on which server an error is.
func (l *link) fail(code app.Code, op string, err error) *app.Error {
	return (&app.Error{Code: code, Op: op, Err: err}).With("path", l.database).With("where", l.where()).With("user", l.user)
}

func (l *link) stateError(op string, err error) error {
	var pe *pgconn.PgError
	errors.As(err, &pe)
	coded := func(code app.Code) error { return l.fail(code, op, err) }
	switch class := pe.Code[:min(2, len(pe.Code))]; {
	case pe.Code == "3D000":
		return coded(app.CodeSourceGone)
	case class == "28" && strings.Contains(pe.Message, "no encryption"):
		return coded(app.CodeSourcePlain)
	case class == "28":
		return coded(app.CodeSourceDenied)
	case pe.Code == "42501":
		return l.rights(op, pe, err)
	case pe.Code == "55P03", pe.Code == "40P01":
		return coded(app.CodeSourceLocked)
	case pe.Code == "53300", pe.Code == "53400", pe.Code == "57014":
		return coded(app.CodeSourceBusy)
	case class == "57", class == "08":
		return coded(app.CodeSourceOffline)
	case class == "54":
		return coded(app.CodeSourceTooLarge)
	case pe.Code == stateFull:
		return coded(app.CodeTargetFull)
	case pe.Code == "55006":
		return coded(app.CodeTargetInUse)
	case pe.Code == "42P04":
		return coded(app.CodeTargetExists)
	case pe.Code == "25006":
		return coded(app.CodeTargetReadOnly)
	case class == "XX", class == "58" && pe.Code != "58P01":
		return coded(app.CodeSourceDamaged)
	}
	return coded(app.CodeSourceUnreadable)
}

// rights names what the server's owner has to run for a right that is missing.
func (l *link) rights(op string, pe *pgconn.PgError, err error) error {
	statement := "GRANT SELECT ON ALL TABLES IN SCHEMA … TO " + ident(l.user) + ";"
	switch what := pe.Message; {
	case strings.Contains(what, "row-level security"):
		statement = "ALTER ROLE " + ident(l.user) + " BYPASSRLS;"
	case strings.Contains(what, "large object"):
		statement = "GRANT SELECT ON LARGE OBJECT … TO " + ident(l.user) + ";"
	case strings.Contains(what, "to create database"):
		statement = "ALTER ROLE " + ident(l.user) + " CREATEDB;"
	case strings.Contains(what, "owner of"):
		statement = "GRANT … TO " + ident(l.user) + ";"
	case strings.Contains(what, "for schema"):
		statement = "GRANT USAGE ON SCHEMA … TO " + ident(l.user) + ";"
	}
	return l.fail(app.CodeSourceRight, op, err).With("right", pe.Message).With("statement", statement)
}

// exitError reads what pg_dump said. It speaks English to us, whatever the
// server's language; only the server's own words may be in another one.
func (l *link) exitError(op string, exit *tool.ExitError) error {
	said := exit.Stderr
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(said, w) {
				return true
			}
		}
		return false
	}
	switch {
	case has("server version mismatch"):
		return (&app.Error{Code: app.CodeProgramOld, Op: op, Err: exit}).With("program", exit.Program)
	case has("lock timeout", "could not obtain lock"):
		return (&app.Error{Code: app.CodeSourceLocked, Op: op, Err: exit}).With("path", l.database)
	case has("permission denied"):
		return l.fail(app.CodeSourceRight, op, exit).With("right", firstLine(said)).With("statement", "GRANT SELECT ON ALL TABLES IN SCHEMA … TO "+ident(l.user)+";")
	case has("authentication failed", "no pg_hba.conf entry"):
		return l.fail(app.CodeSourceDenied, op, exit)
	case has("connection to server", "server closed the connection", "terminating connection", "could not connect", "shutting down", "invalid snapshot identifier", "starting up"):
		return l.fail(app.CodeSourceOffline, op, exit)
	}
	return l.fail(app.CodeSourceUnreadable, op, exit)
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// untrusted says what is wrong with a certificate, "" when it is not that.
func untrusted(err error) string {
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var verification *tls.CertificateVerificationError
	switch {
	case errors.As(err, &authority):
		return "unknown authority"
	case errors.As(err, &host):
		return "wrong host"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "expired"
	case errors.As(err, &invalid), errors.As(err, &verification):
		return "invalid"
	case strings.Contains(err.Error(), "unable to add CA to cert pool"), strings.Contains(err.Error(), "unable to read CA file"):
		return "no authority"
	}
	return ""
}

// offline reports whether err is the network's.
func offline(err error) bool {
	var netErr net.Error
	var dns *net.DNSError
	var op *net.OpError
	var dial *pgconn.ConnectError
	return errors.As(err, &netErr) || errors.As(err, &dns) || errors.As(err, &op) || errors.As(err, &dial) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || errors.Is(err, os.ErrDeadlineExceeded) ||
		errors.Is(err, context.DeadlineExceeded) || strings.Contains(err.Error(), "conn closed") || strings.Contains(err.Error(), "unexpected EOF")
}
