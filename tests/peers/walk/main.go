// Walks each folder of N.root.json below the folder named with Notary's own code: `client`, the library under
// `notary` and `docker trust`, and `server`, the HTTP handler of notary-server, all in this process.
//
// Each folder also holds `gun`; the folder above holds the private keys of the online roles, in PKCS#8. Prints a line
// for each walk: `WHO CASE START ok`, or `WHO CASE START stop VERSION REASON`. START is 0 for a client without a cache
// and for an empty server. After `time` the client alone walks each from its first root, and the nanoseconds that it
// took are printed. After `sign` and a number it signs so many roots by a key in memory instead, and prints the same.
package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"io/ioutil"
	"mime/multipart"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/docker/go/canonical/json"
	"github.com/sirupsen/logrus"
	"github.com/theupdateframework/notary"
	"github.com/theupdateframework/notary/client"
	"github.com/theupdateframework/notary/cryptoservice"
	"github.com/theupdateframework/notary/passphrase"
	"github.com/theupdateframework/notary/server"
	serverstorage "github.com/theupdateframework/notary/server/storage"
	"github.com/theupdateframework/notary/storage"
	"github.com/theupdateframework/notary/trustmanager"
	"github.com/theupdateframework/notary/trustpinning"
	"github.com/theupdateframework/notary/tuf/data"
	"github.com/theupdateframework/notary/tuf/signed"
	"github.com/theupdateframework/notary/tuf/utils"
	nutils "github.com/theupdateframework/notary/utils"
	"golang.org/x/net/context"
)

var online = []data.RoleName{data.CanonicalTargetsRole, data.CanonicalSnapshotRole, data.CanonicalTimestampRole}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// A folder of roots.
type repository struct {
	name     string
	gun      data.GUN
	roots    map[int][]byte
	versions []int
	keys     map[data.RoleName]data.PrivateKey
}

func (r *repository) newest() int { return r.versions[len(r.versions)-1] }

func read(folder string, keys map[data.RoleName]data.PrivateKey) *repository {
	gun, err := ioutil.ReadFile(filepath.Join(folder, "gun"))
	check(err)
	r := &repository{filepath.Base(folder), data.GUN(gun), map[int][]byte{}, nil, keys}
	files, err := filepath.Glob(filepath.Join(folder, "*.root.json"))
	check(err)
	for _, file := range files {
		version, err := strconv.Atoi(strings.TrimSuffix(filepath.Base(file), ".root.json"))
		check(err)
		raw, err := ioutil.ReadFile(file)
		check(err)
		r.roots[version] = raw
		r.versions = append(r.versions, version)
	}
	sort.Ints(r.versions)
	return r
}

// What a server would write for the same root, if it can read it.
func rewritten(raw []byte) []byte {
	s := &data.Signed{}
	if json.Unmarshal(raw, s) != nil || s.Signed == nil {
		return raw
	}
	root, err := data.RootFromSigned(s)
	if err != nil {
		return raw
	}
	again, err := root.MarshalJSON()
	if err != nil {
		return raw
	}
	return again
}

func (r *repository) sign(role data.RoleName, s *data.Signed) []byte {
	service := cryptoservice.NewCryptoService(trustmanager.NewKeyMemoryStore(passphrase.ConstantRetriever("pass")))
	key := r.keys[role]
	check(service.AddKey(role, r.gun, key))
	check(signed.Sign(service, s, []data.PublicKey{data.PublicKeyFromPrivate(key)}, 1, nil))
	raw, err := json.Marshal(s)
	check(err)
	return raw
}

// The other three files of a repository that stands at root `version`.
func (r *repository) others(version int) map[data.RoleName][]byte {
	files := map[data.RoleName][]byte{}
	targets := data.NewTargets()
	targets.Signed.Version = 1
	s, err := targets.ToSigned()
	check(err)
	files[data.CanonicalTargetsRole] = r.sign(data.CanonicalTargetsRole, s)

	signedOf := func(raw []byte) *data.Signed {
		s := &data.Signed{}
		check(json.Unmarshal(raw, s))
		return s
	}
	empty := json.RawMessage([]byte(`{}`))
	snapshot, err := data.NewSnapshot(&data.Signed{Signed: &empty}, signedOf(files[data.CanonicalTargetsRole]))
	check(err)
	hashes := func(raw []byte) data.FileMeta {
		meta, err := data.NewFileMeta(bytes.NewReader(raw), data.NotaryDefaultHashes...)
		check(err)
		return meta
	}
	snapshot.Signed.Version = 1
	snapshot.Signed.Meta[data.CanonicalRootRole.String()] = hashes(rewritten(r.roots[version]))
	snapshot.Signed.Meta[data.CanonicalTargetsRole.String()] = hashes(files[data.CanonicalTargetsRole])
	s, err = snapshot.ToSigned()
	check(err)
	files[data.CanonicalSnapshotRole] = r.sign(data.CanonicalSnapshotRole, s)

	timestamp, err := data.NewTimestamp(signedOf(files[data.CanonicalSnapshotRole]))
	check(err)
	timestamp.Signed.Version = 1
	timestamp.Signed.Meta[data.CanonicalSnapshotRole.String()] = hashes(files[data.CanonicalSnapshotRole])
	s, err = timestamp.ToSigned()
	check(err)
	files[data.CanonicalTimestampRole] = r.sign(data.CanonicalTimestampRole, s)
	return files
}

// remote serves a repository as notary-server does, from memory.
type remote struct {
	storage.OfflineStore
	files map[string][]byte
	asked bool
}

func (r *remote) GetSized(name string, size int64) ([]byte, error) {
	if strings.Contains(name, "root") {
		r.asked = true
	}
	if raw, ok := r.files[name]; ok {
		return raw, nil
	}
	return nil, storage.ErrMetaNotFound{Resource: name}
}

func (r *repository) remote() *remote {
	files := map[string][]byte{}
	put := func(role string, raw []byte) {
		sum := sha256.Sum256(raw)
		files[role] = raw
		files[role+"."+hex.EncodeToString(sum[:])] = raw
	}
	for version, raw := range r.roots {
		files[fmt.Sprintf("%d.root", version)] = raw
	}
	put("root", r.roots[r.newest()])
	for role, raw := range r.others(r.newest()) {
		put(role.String(), raw)
	}
	return &remote{files: files}
}

// journal keeps what the client says of roots: where it stopped is in no error.
type journal struct{ stopped int }

var ofRoot = regexp.MustCompile(`^(?:downloaded|error downloading) (\d+)\.root\b`)

func (j *journal) Levels() []logrus.Level { return logrus.AllLevels }
func (j *journal) Fire(entry *logrus.Entry) error {
	if found := ofRoot.FindStringSubmatch(entry.Message); found != nil {
		j.stopped, _ = strconv.Atoi(found[1])
	}
	return nil
}

var said = &journal{}

// The version that a root gives itself; the client speaks of the newest by it.
func claimed(raw []byte) int {
	meta := &data.SignedMeta{}
	check(json.Unmarshal(raw, meta))
	return meta.Signed.Version
}

// took is the time of the last walk of a client: what it is served is made before.
var took time.Duration

func (r *repository) client(start int) (int, error) {
	// As the programs do: a cache in memory would cut a file to the length that is expected.
	folder, err := ioutil.TempDir("", "cache")
	check(err)
	defer os.RemoveAll(folder)
	cache, err := storage.NewFileStore(folder, "json")
	check(err)
	if start > 0 {
		check(cache.Set(data.CanonicalRootRole.String(), r.roots[start]))
	}
	remote := r.remote()
	said.stopped = 0
	began := time.Now()
	_, _, err = client.LoadTUFRepo(client.TUFLoadOptions{
		GUN: r.gun, TrustPinning: trustpinning.TrustPinConfig{}, Cache: cache, RemoteStore: remote,
	})
	took = time.Since(began)
	switch {
	case err == nil:
		return 0, nil
	case !remote.asked:
		return start, err
	case said.stopped > 0 && said.stopped != claimed(r.roots[r.newest()]):
		return said.stopped, err
	default:
		return r.newest(), err
	}
}

func (r *repository) server(start int) (int, error) {
	service := cryptoservice.NewCryptoService(trustmanager.NewKeyMemoryStore(passphrase.ConstantRetriever("pass")))
	for _, role := range online[1:] {
		check(service.AddKey(role, r.gun, r.keys[role]))
	}
	store := serverstorage.NewMemStorage()
	first := r.versions[0]
	if start > 0 {
		put := func(role data.RoleName, version int, raw []byte) {
			check(store.UpdateCurrent(r.gun, serverstorage.MetaUpdate{Role: role, Version: version, Data: raw}))
		}
		put(data.CanonicalRootRole, claimed(r.roots[start]), r.roots[start])
		for role, raw := range r.others(start) {
			put(role, 1, raw)
		}
	}
	ctx := context.WithValue(context.Background(), notary.CtxKeyMetaStore, store)
	ctx = context.WithValue(ctx, notary.CtxKeyKeyAlgo, data.ECDSAKey)
	none := nutils.NewCacheControlConfig(0, false)
	handler := server.RootHandler(ctx, nil, service, none, none, nil)
	for _, version := range r.versions {
		if version <= start {
			continue
		}
		files := map[string][]byte{"root": r.roots[version]}
		if start == 0 && version == first {
			files["targets"] = r.others(version)[data.CanonicalTargetsRole]
		}
		body := &bytes.Buffer{}
		form := multipart.NewWriter(body)
		for role, raw := range files {
			part, err := form.CreateFormFile("files", role)
			check(err)
			_, err = part.Write(raw)
			check(err)
		}
		check(form.Close())
		request := httptest.NewRequest("POST", "/v2/"+r.gun.String()+"/_trust/tuf/", body)
		request.Header.Set("Content-Type", form.FormDataContentType())
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, request)
		if answer.Code != 200 {
			return version, fmt.Errorf("%d %s", answer.Code, answer.Body)
		}
	}
	return 0, nil
}

func private(folder string) map[data.RoleName]data.PrivateKey {
	keys := map[data.RoleName]data.PrivateKey{}
	for _, role := range online {
		raw, err := ioutil.ReadFile(filepath.Join(folder, role.String()+".key"))
		check(err)
		parsed, err := x509.ParsePKCS8PrivateKey(raw)
		check(err)
		key, err := utils.ECDSAToPrivateKey(parsed.(*ecdsa.PrivateKey))
		check(err)
		keys[role] = key
	}
	return keys
}

// What Notary's own code takes to sign so many roots, each by one key of a store in memory.
func sign(count int) time.Duration {
	service := cryptoservice.NewCryptoService(trustmanager.NewKeyMemoryStore(passphrase.ConstantRetriever("pass")))
	key, err := service.Create(data.CanonicalRootRole, "localhost:5000/x", data.ECDSAKey)
	check(err)
	keys := map[string]data.PublicKey{key.ID(): key}
	roles := map[data.RoleName]*data.RootRole{}
	for _, role := range data.BaseRoles {
		roles[role] = &data.RootRole{KeyIDs: []string{key.ID()}, Threshold: 1}
	}
	root, err := data.NewRoot(keys, roles, false)
	check(err)
	began := time.Now()
	for version := 1; version <= count; version++ {
		root.Signed.Version = version
		s, err := root.ToSigned()
		check(err)
		check(signed.Sign(service, s, []data.PublicKey{key}, 1, nil))
	}
	return time.Since(began)
}

func tell(who string, r *repository, start, stopped int, err error) {
	if err == nil {
		fmt.Println(who, r.name, start, "ok")
		return
	}
	reason := strings.Replace(err.Error(), "\n", " ", -1)
	fmt.Println(who, r.name, start, "stop", stopped, reason)
}

func main() {
	logrus.SetOutput(ioutil.Discard)
	if os.Args[1] == "sign" {
		count, err := strconv.Atoi(os.Args[2])
		check(err)
		fmt.Println(sign(count).Nanoseconds())
		return
	}
	isTimed := os.Args[1] == "time"
	if !isTimed {
		logrus.SetLevel(logrus.DebugLevel)
		logrus.AddHook(said)
	}
	top := os.Args[len(os.Args)-1]
	keys := private(top)
	folders, err := filepath.Glob(filepath.Join(top, "*", "gun"))
	check(err)
	for _, gun := range folders {
		r := read(filepath.Dir(gun), keys)
		if isTimed {
			_, err := r.client(r.versions[0])
			check(err)
			fmt.Println(took.Nanoseconds())
			continue
		}
		for _, start := range append([]int{0}, r.versions...) {
			stopped, err := r.client(start)
			tell("client", r, start, stopped, err)
			stopped, err = r.server(start)
			tell("server", r, start, stopped, err)
		}
	}
}
