package storage

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"kvart/app"
)

const (
	rcloneName = "rclone"
	// rcloneNeeds is the first version that can be told to hold nothing back:
	// what it has accepted must be stored.
	rcloneNeeds              = "1.53"
	rcloneMajor, rcloneMinor = 1, 53
	// rcloneCheck is how long a remote may take to show that it answers. Those
	// that rclone is for log in anew each time.
	rcloneCheck = 15 * time.Second
)

func rcloneSpec() app.KindSpec {
	return app.KindSpec{
		Kind: "rclone",
		Fields: []app.Field{
			{Key: "remote", Type: app.FieldText, Required: true},
			{Key: "program", Type: app.FieldFile, Advanced: true},
			{Key: "config", Type: app.FieldFile, Advanced: true},
			{Key: "config_password", Type: app.FieldSecret, Advanced: true},
		},
	}
}

// rclone is a location that the program of that name reaches.
type rclone struct {
	program, remote, config string

	password app.Secret // of the program's own settings
}

func readRclone(s app.StorageSpec) (rclone, error) {
	r := rclone{
		remote: strings.TrimSpace(s.Settings["remote"]), program: s.Settings["program"],
		config: s.Settings["config"], password: s.Secrets["config_password"],
	}
	if name, _, ok := strings.Cut(r.remote, ":"); !ok || name == "" || strings.HasPrefix(name, "-") {
		return rclone{}, badRemote("%q is no remote and path", r.remote)
	}
	if r.program == "" {
		r.program = findRclone()
	}
	if fi, err := os.Stat(r.program); err != nil || fi.IsDir() {
		return rclone{}, app.Errorf(app.CodeProgramMissing, "look for program", "no %s", rcloneName).With("program", rcloneName)
	}
	return r, nil
}

func badRemote(format string, args ...any) *app.Error {
	return app.Errorf(app.CodeUsage, "open remote", format, args...).With("field", "remote")
}

// findRclone looks for the program where it is usually put, also where the
// guard's own environment does not say so.
func findRclone() string {
	if p, err := exec.LookPath(rcloneName); err == nil {
		return p
	}
	home, err := os.UserHomeDir()
	if err != nil {
		home = string(filepath.Separator)
	}
	dirs := []string{"/usr/bin", "/usr/local/bin", "/opt/homebrew/bin", "/snap/bin", filepath.Join(home, "bin"), filepath.Join(home, ".local", "bin")}
	name := rcloneName
	if runtime.GOOS == "windows" {
		name += ".exe"
		dirs = []string{
			filepath.Join(os.Getenv("ProgramFiles"), rcloneName), filepath.Join(os.Getenv("LOCALAPPDATA"), "Microsoft", "WinGet", "Links"),
			filepath.Join(home, "scoop", "shims"), filepath.Join(home, rcloneName), `C:\rclone`,
		}
	}
	for _, dir := range dirs {
		p := filepath.Join(dir, name)
		if fi, err := os.Stat(p); err == nil && fi.Mode().IsRegular() {
			return p
		}
	}
	return ""
}

// command is a call of the program. It never asks anything of anybody.
func (r rclone) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, r.program, append([]string{"--ask-password=false"}, args...)...) //nolint:gosec // the owner's own program
	cmd.Env = os.Environ()
	if r.config != "" {
		cmd.Env = append(cmd.Env, "RCLONE_CONFIG="+r.config)
	}
	if !r.password.IsZero() {
		cmd.Env = append(cmd.Env, "RCLONE_CONFIG_PASS="+r.password.Reveal())
	}
	cmd.WaitDelay = time.Second
	cmd.SysProcAttr = childAttributes()
	return cmd
}

// run calls the program to its end and returns what it printed.
func (r rclone) run(ctx context.Context, args ...string) ([]byte, error) {
	var out bytes.Buffer
	said := &tail{}
	cmd := r.command(ctx, args...)
	cmd.Stdout, cmd.Stderr = &out, said
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return out.Bytes(), nil
	case ctx.Err() != nil:
		return nil, fmt.Errorf("rclone %s: %w: %s", args[0], ctx.Err(), said)
	case errors.As(err, &exit):
		return nil, &rcloneError{exit: exit.ExitCode(), said: said.String()}
	}
	return nil, app.Errorf(app.CodeProgramMissing, "start program", "%w", err).With("program", rcloneName)
}

// needVersion asks how old the program is.
func (r rclone) needVersion(ctx context.Context) error {
	out, err := r.run(ctx, "version")
	if err != nil {
		return err
	}
	var major, minor int
	line, _, _ := strings.Cut(string(out), "\n")
	if _, err := fmt.Sscanf(strings.TrimSpace(line), "rclone v%d.%d", &major, &minor); err != nil {
		return app.Errorf(app.CodeProgramMissing, "ask for version", "%s is not rclone: %w", r.program, err).With("program", rcloneName)
	}
	if major > rcloneMajor || major == rcloneMajor && minor >= rcloneMinor {
		return nil
	}
	version := strings.TrimPrefix(strings.TrimSpace(line), "rclone v")
	return app.Errorf(app.CodeProgramOld, "ask for version", "rclone %s", version).
		With("program", rcloneName).With("version", version).With("needs", rcloneNeeds)
}

// needFolder makes sure that the remote answers and that the folder is there.
// It makes at most the last folder, and only for a new vault.
func (r rclone) needFolder(ctx context.Context, create bool) error {
	out, err := r.list(ctx, r.remote)
	name, folder, _ := strings.Cut(r.remote, ":")
	folder = strings.TrimSuffix(folder, "/")
	above := name + ":" + strings.TrimSuffix(strings.TrimSuffix(folder, path.Base(folder)), "/")
	if err == nil && string(out) == path.Base(folder)+"\n" {
		return r.notFile(ctx, above, string(out))
	}
	var said *rcloneError
	if !create || !errors.As(err, &said) || said.exit != rcloneNoFolder {
		return err
	}
	if strings.Contains(folder, "/") {
		if _, err := r.list(ctx, above); err != nil {
			return err
		}
	}
	_, err = r.run(ctx, "mkdir", "--", r.remote)
	return err
}

// notFile tells a folder that holds only a thing of its own name from a file,
// which the program lists like that; it would serve the folder around it.
func (r rclone) notFile(ctx context.Context, above, line string) error {
	out, err := r.list(ctx, above, "--files-only")
	if err != nil {
		return err
	}
	if slices.Contains(slices.Collect(strings.Lines(string(out))), line) {
		return badRemote("%s is a file", r.remote)
	}
	return nil
}

func (r rclone) list(ctx context.Context, remote string, more ...string) ([]byte, error) {
	args := append([]string{"lsf", "--max-depth=1", "--contimeout=4s", "--timeout=5s", "--low-level-retries=1", "--retries=1"}, more...)
	return r.run(ctx, append(args, "--", remote)...)
}

// offSite reports whether the remote is of a kind that lies in somebody's
// computing centre. Of others, and of those that only stand for another remote,
// that is not known.
func (r rclone) offSite(ctx context.Context) bool {
	out, err := r.run(ctx, "listremotes", "--long")
	if err != nil {
		return false
	}
	name, _, _ := strings.Cut(r.remote, ":")
	for line := range strings.Lines(string(out)) {
		if of, kind, ok := strings.Cut(line, ":"); ok && of == name {
			return slices.Contains(offSiteRemotes(), strings.TrimSpace(kind))
		}
	}
	return false
}

func offSiteRemotes() []string {
	return []string{
		"azureblob", "b2", "box", "drive", "dropbox", "google cloud storage", "google photos", "hidrive", "iclouddrive",
		"jottacloud", "koofr", "mailru", "mega", "onedrive", "opendrive", "pcloud", "premiumizeme", "protondrive", "putio",
		"sharefile", "sugarsync", "yandex", "zoho",
	}
}

// free asks how much room is left, -1 when the remote does not tell.
func (r rclone) free(ctx context.Context) int64 {
	quick, cancel := context.WithTimeout(ctx, quickCheck)
	defer cancel()
	out, err := r.run(quick, "about", "--json", "--", r.remote)
	if err != nil {
		return -1
	}
	room := struct {
		Free *int64 `json:"free"`
	}{}
	if err := json.Unmarshal(out, &room); err != nil || room.Free == nil || *room.Free < 0 {
		return -1
	}
	return *room.Free
}

func openRclone(ctx context.Context, s app.StorageSpec, create bool) (*Location, error) {
	r, err := readRclone(s)
	if err != nil {
		return nil, err
	}
	quick, cancel := context.WithTimeout(ctx, rcloneCheck)
	defer cancel()
	if err := r.needVersion(quick); err != nil {
		return nil, placed(ctx, "start program", r.remote, err)
	}
	if err := r.needFolder(quick, create); err != nil {
		if codeFor(err) == app.CodeUsage {
			err = badRemote("%w", err)
		}
		return nil, placed(ctx, "look at remote", r.remote, err)
	}
	files := newRcloneFiles(r)
	if err := files.start(quick); err != nil {
		return nil, errors.Join(placed(ctx, "start program", r.remote, err), files.Close())
	}
	return newServerBlobs(files, "/", r.remote).location(r.offSite(quick)), nil
}

// rcloneFiles are files on a remote, behind a server of the program's own on
// this computer.
type rcloneFiles struct {
	*davFiles
	*rcloneServer
}

var _ fileServer = rcloneFiles{}

// FreeBytes implements [fileServer].
func (f rcloneFiles) FreeBytes(ctx context.Context) int64 { return f.free(ctx) }

// Close implements [fileServer]: it ends the program.
func (f rcloneFiles) Close() error { return errors.Join(f.davFiles.Close(), f.stop()) }
