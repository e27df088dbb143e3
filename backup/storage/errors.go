package storage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"regexp"
	"strings"
	"syscall"

	"github.com/kopia/kopia/repo"
	"github.com/kopia/kopia/repo/blob"
	"github.com/kopia/kopia/repo/content"
	"github.com/kopia/kopia/repo/object"

	"kvart/app"
)

// Translate is the border at which errors of Kopia, of S3 and of the system
// become Kvart's. An error that already has a code keeps it.
func Translate(op string, err error) error {
	if err == nil {
		return nil
	}
	var known *app.Error
	if errors.As(err, &known) {
		return fmt.Errorf("%s: %w", op, terse{err})
	}
	e := &app.Error{Code: codeOf(err), Op: op, Err: terse{err}}
	switch e.Code {
	case app.CodeCertificate:
		return e.With("reason", distrust(err))
	case app.CodeStorageRegion:
		return e.With("region", rightRegion(err))
	}
	return e
}

// lacking names the right a call was refused for.
func lacking(right string, err error) error {
	if err == nil || codeFor(err) != app.CodeStorageDenied || !isRefusal(err) {
		return err
	}
	return app.Errorf(app.CodeStorageRight, right, "%w", terse{err}).With("right", right)
}

// codeFor returns the code Translate would give err.
func codeFor(err error) app.Code {
	var known *app.Error
	if errors.As(err, &known) {
		return known.Code
	}
	return codeOf(err)
}

func codeOf(err error) app.Code {
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return app.CodeCanceled
	case errors.Is(err, repo.ErrInvalidPassword):
		return app.CodeWrongPassphrase
	case errors.Is(err, repo.ErrRepositoryNotInitialized):
		return app.CodeVaultMissing
	case errors.Is(err, repo.ErrAlreadyInitialized):
		return app.CodeVaultExists
	case errors.Is(err, repo.ErrRepositoryUnavailableDueToUpgradeInProgress):
		return app.CodeBusy
	case errors.Is(err, blob.ErrInvalidCredentials):
		return app.CodeStorageDenied
	}
	for _, know := range []func(error) app.Code{
		codeOfS3, codeOfB2, codeOfAzure, codeOfGCS, codeOfSFTP, codeOfWebDAV, codeOfRclone, codeOfWay, codeOfSystem,
	} {
		if c := know(err); c != "" {
			return c
		}
	}
	switch {
	case errors.Is(err, blob.ErrBlobNotFound), errors.Is(err, object.ErrObjectNotFound), errors.Is(err, content.ErrContentNotFound):
		return app.CodeVaultDamaged
	}
	return codeOfText(err.Error())
}

func codeOfSystem(err error) app.Code {
	var (
		dns *net.DNSError
		op  *net.OpError
		ue  *url.Error
		tmo net.Error
	)
	switch {
	case IsFull(err):
		return app.CodeStorageFull
	case isReadOnly(err):
		return app.CodeStorageReadOnly
	case errors.As(err, &dns), errors.As(err, &op), errors.As(err, &ue),
		errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ECONNRESET),
		errors.As(err, &tmo) && tmo.Timeout():
		return app.CodeStorageOffline
	case errors.Is(err, fs.ErrPermission):
		return app.CodeStorageDenied
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.EIO), errors.Is(err, syscall.ENOTDIR):
		return app.CodeStorageGone
	}
	return ""
}

// codeOfText knows the failures for which Kopia has no type.
func codeOfText(text string) app.Code {
	texts := []struct {
		part string
		code app.Code
	}{
		{"clock skew detected", app.CodeStorageClock},
		{"error loading index blob", app.CodeVaultDamaged},
		{"invalid checksum", app.CodeVaultDamaged},
		{"message authentication failed", app.CodeVaultDamaged},
		{"ciphertext too short", app.CodeVaultDamaged},
		{"can't parse format blob", app.CodeVaultDamaged},
		{"deserialize blob config", app.CodeVaultDamaged},
		{"can't re-create top-level directory", app.CodeStorageGone},
	}
	for _, t := range texts {
		if strings.Contains(text, t.part) {
			return t.code
		}
	}
	return app.CodeInternal
}

// IsDamage reports whether err says that stored bytes are missing or wrong, as
// opposed to a storage that can't be reached, or won't answer, just now.
func IsDamage(err error) bool {
	switch codeFor(err) {
	case app.CodeCanceled, app.CodeBusy, app.CodeUsage, app.CodeVaultMissing, app.CodeVaultHidden, app.CodeVaultPast,
		app.CodeStorageGone, app.CodeStorageOffline, app.CodeStorageDenied, app.CodeStorageReadOnly, app.CodeStorageFull,
		app.CodeStorageClock, app.CodeStorageUnsafe, app.CodeStorageRight, app.CodeStorageRegion, app.CodeStorageBusy,
		app.CodeCertificate, app.CodeHostKeyUnknown, app.CodeHostKeyChanged, app.CodePortal, app.CodeProxyAuth,
		app.CodeProgramMissing, app.CodeProgramOld:
		return false
	}
	return true
}

// maxErrorText is how much of a foreign error's text is kept.
const maxErrorText = 400

// terse is an error whose text fits a line of the log. Libraries put whole
// structs into theirs, with keys and passwords, and whole pages they were
// answered with.
type terse struct{ error }

func (e terse) Unwrap() error { return e.error }

func (e terse) Error() string {
	text := []rune(withoutDumps(e.error.Error()))
	if len(text) > maxErrorText {
		text = append(text[:maxErrorText], '…')
	}
	return string(text)
}

// dumpStart matches how fmt begins to print a struct: a brace after its type, or
// before the name of a field.
var dumpStart = regexp.MustCompile(`[&*\[\]\w.]*[\w.]\{|&?\{\w+:`)

// withoutDumps leaves out what lies between the braces of printed structs.
func withoutDumps(text string) string {
	at := dumpStart.FindStringIndex(text)
	if at == nil {
		return text
	}
	depth, end := 1, at[1]
	for end < len(text) && depth > 0 {
		switch text[end] {
		case '{':
			depth++
		case '}':
			depth--
		}
		end++
	}
	return text[:at[0]] + "…" + withoutDumps(text[end:])
}
