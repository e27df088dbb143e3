package kit

import (
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"kvart/app"
)

// Files that a [Command] names, beside where it is run: secrets that stock
// Kopia takes only from files.
const (
	CredentialsFile = "kvart-google.json"     // secret "credentials" of gcs
	PrivateKeyFile  = "kvart-ssh-key"         // secret "private_key" of sftp
	KnownHostsFile  = "kvart-ssh-known-hosts" // of sftp, when the host key is not in the kit
)

// Command returns the words that connect stock Kopia to the kit's vault. They
// hold its secrets. [app.CodeUsage] for a kind of storage stock Kopia
// can't open by itself, or whose address is not known: that of a preset is
// looked up among the storages. The repository is connected to read only, so
// that Kopia does not tidy up on a bad day.
func Command(k app.Kit, storages ...app.KindSpec) ([]string, error) {
	c := flags{spec: k.Storage, settings: completed(k.Storage, storages)}
	var provider string
	switch k.Storage.Kind {
	case "folder":
		provider = "filesystem"
		c.add("path", "path")
	case "s3":
		provider = "s3"
		if err := c.s3(); err != nil {
			return nil, err
		}
	case "b2":
		provider = "b2"
		c.add("bucket", "bucket")
		c.add("key-id", "key_id")
		c.put("key", strings.TrimSpace(c.secret("key").Reveal()))
		c.prefix()
	case "azure":
		provider = "azure"
		c.azure()
	case "gcs":
		provider = "gcs"
		c.put("bucket", strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(c.settings["bucket"]), "gs://"), "/"))
		if !c.secret("credentials").IsZero() {
			c.put("credentials-file", CredentialsFile)
			c.on("embed-credentials")
		}
		c.prefix()
		c.pointInTime()
	case "sftp":
		provider = "sftp"
		c.sftp()
	case "webdav":
		provider = "webdav"
		c.url()
		c.add("webdav-username", "user")
		c.addSecret("webdav-password", "password")
	case "rclone":
		provider = "rclone"
		c.add("remote-path", "remote")
	default:
		return nil, app.Errorf(app.CodeUsage, "write command", "stock Kopia knows no storage %q", k.Storage.Kind).With("field", "kind")
	}
	c.on("readonly")
	c.put("password", k.Passphrase.Reveal())
	return append([]string{"kopia", "repository", "connect", provider}, c.words...), nil
}

// listCommand and restoreCommand follow a [Command]. Kvart stores under a name
// of its own, so that the list is asked for everybody's.
func listCommand() []string { return []string{"kopia", "snapshot", "list", "--all"} }

func restoreCommand(id, folder string) []string {
	return []string{"kopia", "snapshot", "restore", id, folder}
}

// flags collects the flags of a command.
type flags struct {
	spec     app.StorageSpec
	settings map[string]string
	words    []string
}

func (c *flags) put(flag, value string) { c.words = append(c.words, "--"+flag+"="+value) }
func (c *flags) on(flag string)         { c.words = append(c.words, "--"+flag) }

func (c *flags) secret(key string) app.Secret { return c.spec.Secrets[key] }

// add puts the flag of a setting that is set.
func (c *flags) add(flag, key string) {
	v := c.settings[key]
	if key != "path" {
		v = strings.TrimSpace(v)
	}
	if v != "" {
		c.put(flag, v)
	}
}

// addSecret puts the flag of a secret that is set.
func (c *flags) addSecret(flag, key string) {
	if s := c.secret(key); !s.IsZero() {
		c.put(flag, s.Reveal())
	}
}

// prefix puts the subfolder as Kopia wants it: without a slash before and with
// one behind.
func (c *flags) prefix() {
	p := strings.TrimPrefix(strings.TrimSpace(c.settings["prefix"]), "/")
	if p != "" && !strings.HasSuffix(p, "/") {
		p += "/"
	}
	if p != "" {
		c.put("prefix", p)
	}
}

func (c *flags) pointInTime() {
	if !c.spec.AsOf.IsZero() {
		c.put("point-in-time", c.spec.AsOf.UTC().Format(time.RFC3339))
	}
}

func (c *flags) s3() error {
	endpoint, plain := strings.TrimSuffix(strings.TrimSpace(c.settings["endpoint"]), "/"), false
	if rest, ok := strings.CutPrefix(endpoint, "http://"); ok {
		endpoint, plain = rest, true
	}
	if endpoint == "" { // Kopia would take it for Amazon's
		return app.Errorf(app.CodeUsage, "write command", "the address is not known").With("field", "endpoint")
	}
	c.add("bucket", "bucket")
	c.put("endpoint", strings.TrimPrefix(endpoint, "https://"))
	c.add("region", "region")
	c.add("access-key", "access_key")
	c.addSecret("secret-access-key", "secret_key")
	c.prefix()
	if plain || c.settings["insecure"] == "true" {
		c.on("disable-tls")
	}
	c.pointInTime()
	return nil
}

// completed returns the settings of a storage that are set, with those its
// preset adds and with nothing left open in them that another one says.
func completed(s app.StorageSpec, storages []app.KindSpec) map[string]string {
	full := map[string]string{}
	for key, v := range s.Settings {
		if v != "" {
			full[key] = v
		}
	}
	for _, kind := range storages {
		for _, p := range kind.Presets {
			if kind.Kind != s.Kind || p.Key != full["preset"] {
				continue
			}
			for key, v := range p.Settings {
				if full[key] == "" {
					full[key] = v
				}
			}
			if full["region"] == "" && len(p.Regions) > 0 {
				full["region"] = p.Regions[0]
			}
		}
	}
	full["endpoint"] = open.ReplaceAllStringFunc(full["endpoint"], func(o string) string {
		if v := full[strings.Trim(o, "{}")]; v != "" {
			return v
		}
		return o
	})
	if full["endpoint"] == "" {
		delete(full, "endpoint")
	}
	return full
}

// open matches what an address leaves to other fields.
var open = regexp.MustCompile(`\{\w+\}`)

func (c *flags) azure() {
	c.add("container", "container")
	c.add("storage-account", "account")
	c.add("storage-domain", "domain")
	if token := strings.TrimSpace(c.secret("sas_token").Reveal()); token != "" {
		if _, query, ok := strings.Cut(token, "?"); ok { // a whole address was pasted
			token = query
		}
		c.put("sas-token", token)
	} else {
		c.put("storage-key", strings.TrimSpace(c.secret("key").Reveal()))
	}
	c.prefix()
	c.pointInTime()
}

func (c *flags) url() {
	url := strings.TrimSpace(c.settings["url"])
	if !strings.Contains(url, "://") {
		url = "https://" + url
	}
	c.put("url", url)
}

func (c *flags) sftp() {
	c.put("host", c.host())
	c.add("port", "port")
	c.add("username", "user")
	c.put("path", path.Clean(strings.TrimPrefix(strings.TrimSpace(c.settings["path"]), "~/")))
	if !c.secret("private_key").IsZero() {
		c.put("keyfile", PrivateKeyFile)
	} else {
		c.addSecret("sftp-password", "password")
	}
	if line := c.knownHost(); line != "" {
		c.put("known-hosts-data", line)
	} else {
		c.put("known-hosts", KnownHostsFile)
	}
}

// host returns the server's name or number, without the brackets of an address.
func (c *flags) host() string { return strings.Trim(strings.TrimSpace(c.settings["host"]), "[]") }

// knownHost returns the line of a known_hosts file for the server; "" when the
// kit holds none.
func (c *flags) knownHost() string {
	key := strings.Join(strings.Fields(c.settings["host_key"]), " ")
	words := strings.Split(key, " ")
	switch {
	case len(words) < 2:
		return "" // nothing, or a fingerprint
	case len(words) > 2 && !isKeyType(words[0]) && isKeyType(words[1]):
		return key
	case !isKeyType(words[0]):
		return ""
	}
	host := c.host()
	if port, err := strconv.Atoi(c.settings["port"]); err == nil && port != 22 {
		host = "[" + host + "]:" + strconv.Itoa(port)
	} else if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return host + " " + words[0] + " " + words[1]
}

func isKeyType(s string) bool {
	return strings.HasPrefix(s, "ssh-") || strings.HasPrefix(s, "ecdsa-") || strings.HasPrefix(s, "sk-")
}

// preparations names what has to be done before a command works.
func preparations(k app.Kit, argv []string) []string {
	var out []string
	names := func(file string) bool {
		return slices.ContainsFunc(argv, func(w string) bool { return strings.HasSuffix(w, "="+file) })
	}
	if names(CredentialsFile) {
		out = append(out, "credentials")
	}
	if names(PrivateKeyFile) {
		out = append(out, "key")
		if !k.Storage.Secrets["key_passphrase"].IsZero() {
			out = append(out, "unlock")
		}
	}
	if names(KnownHostsFile) {
		out = append(out, "hosts")
	}
	if k.Storage.Kind == "rclone" {
		out = append(out, "rclone")
	}
	return out
}
