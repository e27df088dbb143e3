package storage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"path"
	"strconv"
	"strings"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"kvart/app"
)

func sftpSpec() app.KindSpec {
	return app.KindSpec{
		Kind:    "sftp",
		OffSite: true,
		Fields: []app.Field{
			{Key: "host", Type: app.FieldText, Required: true},
			{Key: "user", Type: app.FieldText, Required: true},
			{Key: "password", Type: app.FieldSecret},
			{Key: "path", Type: app.FieldText, Required: true},
			{Key: "port", Type: app.FieldNumber, Default: "22", Advanced: true},
			{Key: "private_key", Type: app.FieldSecret, Multiline: true, Advanced: true},
			{Key: "key_passphrase", Type: app.FieldSecret, Advanced: true},
			{Key: "host_key", Type: app.FieldText, Advanced: true},
		},
	}
}

// account is an SFTP location as its settings describe it.
type account struct {
	host, port, user, path string

	auth   []ssh.AuthMethod
	pinned ssh.PublicKey // nil before the first contact
}

func readAccount(s app.StorageSpec) (account, error) {
	a := account{
		host: strings.TrimSpace(s.Settings["host"]), port: s.Settings["port"], user: s.Settings["user"],
		path: serverPath(strings.TrimSpace(s.Settings["path"])),
	}
	if a.port == "" {
		a.port = "22"
	}
	if n, err := strconv.ParseUint(a.port, 10, 16); err != nil || n == 0 {
		return account{}, badSFTP("port", "%q is no port", a.port)
	}
	a.host = strings.TrimSuffix(strings.TrimPrefix(a.host, "["), "]")
	if a.host == "" || strings.ContainsAny(a.host, "/@ ") {
		return account{}, badSFTP("host", "%q is no host", a.host)
	}
	var err error
	if a.pinned, err = parseHostKey(s.Settings["host_key"]); err != nil {
		return account{}, err
	}
	if a.auth, err = sftpAuth(s.Secrets); err != nil {
		return account{}, err
	}
	return a, nil
}

// serverPath is a path as servers know it: below the user's own folder unless it
// begins with a slash, as it does on Windows too.
func serverPath(p string) string {
	p = strings.ReplaceAll(p, `\`, "/")
	if len(p) > 2 && p[1] == ':' && p[2] == '/' {
		p = "/" + p
	}
	if p == "~" {
		p = "."
	}
	return path.Clean(strings.TrimPrefix(p, "~/"))
}

func badSFTP(field, format string, args ...any) *app.Error {
	return app.Errorf(app.CodeUsage, "open server", format, args...).With("field", field)
}

// sftpAuth returns the ways to log in: with the key where there is one, else
// with the password, which some servers want as the answer to a question.
func sftpAuth(secrets app.Secrets) ([]ssh.AuthMethod, error) {
	var auth []ssh.AuthMethod
	if key := secrets["private_key"]; !key.IsZero() {
		signer, err := parsePrivateKey(key, secrets["key_passphrase"])
		if err != nil {
			return nil, err
		}
		auth = append(auth, ssh.PublicKeys(signer))
	}
	if password := secrets["password"]; !password.IsZero() {
		auth = append(auth, ssh.Password(password.Reveal()), ssh.KeyboardInteractive(
			func(_, _ string, questions []string, echos []bool) ([]string, error) {
				answers := make([]string, len(questions))
				for i, shown := range echos {
					if shown {
						return nil, errors.New("the server asks for more than a password")
					}
					answers[i] = password.Reveal()
				}
				return answers, nil
			}))
	}
	if len(auth) == 0 {
		return nil, badSFTP("password", "neither a password nor a key")
	}
	return auth, nil
}

// parsePrivateKey leaves the parser's own words out: they are about a secret.
func parsePrivateKey(key, passphrase app.Secret) (ssh.Signer, error) {
	signer, err := ssh.ParsePrivateKey([]byte(key.Reveal()))
	var locked *ssh.PassphraseMissingError
	switch {
	case err == nil:
		return signer, nil
	case !errors.As(err, &locked):
		return nil, badSFTP("private_key", "not a private key")
	case passphrase.IsZero():
		return nil, badSFTP("key_passphrase", "the private key is locked with a passphrase")
	}
	signer, err = ssh.ParsePrivateKeyWithPassphrase([]byte(key.Reveal()), []byte(passphrase.Reveal()))
	if err != nil {
		return nil, badSFTP("key_passphrase", "not the private key's passphrase")
	}
	return signer, nil
}

// parseHostKey reads a key as servers show it, "ssh-ed25519 AAAA…", also with
// the names before it that a known_hosts file has.
func parseHostKey(line string) (ssh.PublicKey, error) {
	line = strings.TrimSpace(line)
	if line == "" {
		return nil, nil
	}
	if key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(line)); err == nil {
		return key, nil
	}
	_, _, key, _, _, err := ssh.ParseKnownHosts([]byte(line))
	if err != nil {
		return nil, badSFTP("host_key", "not a host key: %w", err)
	}
	return key, nil
}

func (a account) address() string { return net.JoinHostPort(a.host, a.port) }

func (a account) where() string {
	return a.host + "/" + strings.TrimPrefix(a.path, "/")
}

func openSFTP(ctx context.Context, s app.StorageSpec, create bool) (*Location, error) {
	a, err := readAccount(s)
	if err != nil {
		return nil, err
	}
	files := &sftpFiles{account: a}
	quick, cancel := context.WithTimeout(ctx, quickCheck)
	defer cancel()
	err = files.with(quick, func(c *sftp.Client) error {
		if err := files.settle(c); err != nil {
			return err
		}
		return needServerFolder(c, files.account.path, create)
	})
	if err != nil {
		return nil, errors.Join(placed(ctx, "look at server", a.where(), err), files.Close())
	}
	return newServerBlobs(files, files.account.path, a.where()).location(isOffSite(a.host)), nil
}

// needServerFolder makes sure that dir is a folder. It makes at most the last
// folder of the path, and only for a new vault.
func needServerFolder(c *sftp.Client, dir string, create bool) error {
	fi, err := c.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) && create {
		if err = c.Mkdir(dir); err == nil {
			return nil
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return app.Errorf(app.CodeStorageGone, "open server", "%w", err).With("where", dir)
	case err != nil:
		return fmt.Errorf("look at folder: %w", err)
	case !fi.IsDir():
		return badSFTP("path", "%s is not a folder", dir)
	}
	return nil
}
