//! A PostgreSQL that accepts TLS only, and which certificates are trusted.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use crate::support::cluster::Cluster;
use crate::support::{Db, TestApp, eventually};

#[actix_web::test]
async fn postgres_connects_over_tls_when_its_certificate_is_trusted() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let db = Db::create_on(&cluster, "").await.unwrap();
    let authority = authority();
    speaks_tls_only(&cluster, &authority).await;
    let trusted = write(&cluster, "trusted.pem", &authority.pem());
    let foreign = write(&cluster, "foreign.pem", &self::authority().pem());

    for sslmode in ["require", "verify-full"] {
        let app = TestApp::start(with(&db, sslmode, &trusted)).await;
        let ada = app
            .signs_up("Acme", &format!("ada@{sslmode}.example"))
            .await;
        ada.me().await.expect(200);
    }
    refuses_to_start(
        with(&db, "require", &foreign),
        "cannot connect to PostgreSQL",
    )
    .await;
    refuses_to_start(
        with(&db, "disable", &trusted),
        "cannot connect to PostgreSQL",
    )
    .await;
    let missing = PathBuf::from("/nowhere/ca.pem");
    refuses_to_start(
        with(&db, "require", &missing),
        "sslrootcert /nowhere/ca.pem",
    )
    .await;
}

async fn refuses_to_start(db: Db, why: &str) {
    let Err(error) = TestApp::try_start(db).await else {
        panic!("it started but should have failed: {why}");
    };
    assert!(error.to_string().contains(why), "{error}");
}

fn with(db: &Db, sslmode: &str, root: &std::path::Path) -> Db {
    Db::Postgres {
        url: format!(
            "{}?sslmode={sslmode}&sslrootcert={}",
            db.url(),
            root.display()
        ),
    }
}

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// Gives the server a certificate for its address and refuses connections without TLS.
async fn speaks_tls_only(cluster: &Cluster, authority: &Authority) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["127.0.0.1".to_owned()])
        .unwrap()
        .signed_by(&key, authority)
        .unwrap();
    write(cluster, "data/server.crt", &certificate.pem());
    write(cluster, "data/server.key", &key.serialize_pem());
    let admin = Db::Postgres {
        url: cluster.url("postgres"),
    };
    admin.execute("alter system set ssl = on").await;
    write(
        cluster,
        "data/pg_hba.conf",
        "hostssl all all 127.0.0.1/32 trust\n",
    );
    admin.execute("select pg_reload_conf()").await;
    eventually("the server refuses plain connections", async || {
        tokio_postgres::connect(&admin.url(), tokio_postgres::NoTls)
            .await
            .is_err()
    })
    .await;
}

/// A file owned by the server's user, with the mode PostgreSQL requires of a key.
fn write(cluster: &Cluster, name: &str, text: &str) -> PathBuf {
    let path = cluster.directory.join(name);
    fs::write(&path, text).unwrap();
    let owner = fs::metadata(cluster.directory.join("data")).unwrap();
    chown(&path, Some(owner.uid()), Some(owner.gid())).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    path
}
