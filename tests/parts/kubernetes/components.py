"""The processes of a cluster: their command lines, certificates and kubeconfigs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from tests.parts.cache import make_folder
from tests.parts.certificates import Authority, make_authority

HERE = Path(__file__).parent
CONTEXT = "sre-obs-test"
ADMIN, FAKE_NODES = "admin", "fake-nodes"
MASTERS = "system:masters"
# Who a component is decides what it may do: upstream's own roles are bound to these names.
USERS = {
    ADMIN: ("admin", MASTERS),
    FAKE_NODES: ("fake-nodes", MASTERS),
    "controller-manager": ("system:kube-controller-manager", ""),
    "scheduler": ("system:kube-scheduler", ""),
}
# At its own pace of 20 requests a second the controller manager needs five seconds to begin.
QUICK = ("--kube-api-qps=500", "--kube-api-burst=1000")

# What tests did to the cluster, and not what the cluster did to itself.
AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        {
            "level": "None",
            "users": [
                *("system:apiserver", "system:kube-controller-manager"),
                *("system:kube-scheduler", "fake-nodes"),
            ],
        },
        {"level": "None", "userGroups": ["system:serviceaccounts:kube-system"]},
        {"level": "None", "nonResourceURLs": ["/readyz", "/healthz", "/livez"]},
        {"level": "Metadata"},
    ],
}


@dataclass(frozen=True, slots=True)
class Ports:
    """All on 127.0.0.1."""

    etcd: int
    etcd_peer: int
    api: int
    kubelet: int


@dataclass(frozen=True, slots=True)
class Home:
    """A cluster's folder and its ports: what a component's command line is made of."""

    folder: Path
    ports: Ports

    @property
    def url(self) -> str:
        """Where the API server answers."""
        return f"https://127.0.0.1:{self.ports.api}"

    @property
    def pki(self) -> Path:
        """The certificates and keys."""
        return self.folder / "pki"

    @property
    def audit_log(self) -> Path:
        """One JSON object a request, after AUDIT_POLICY."""
        return self.folder / "audit.log"

    def kubeconfig(self, user: str) -> Path:
        """The kubeconfig of one of USERS."""
        return self.folder / f"{user}.kubeconfig"

    def lay_out(self) -> None:
        """Fills the folder with everything that the components want to find. Raises PartError."""
        make_folder(self.pki)
        (self.folder / "etcd").mkdir(mode=0o700)
        authority = make_authority(self.pki, "ca")
        make_authority(self.pki, "service-accounts")  # for its key, which signs their tokens
        hosts = "IP:127.0.0.1,DNS:localhost,DNS:kubernetes.default.svc"
        authority.sign("apiserver", hosts)
        authority.sign("kubelet", "IP:127.0.0.1")
        for user in USERS:
            self._write_user(authority, user)
        policy = self.folder / "audit-policy.json"
        policy.write_text(json.dumps(AUDIT_POLICY), encoding="utf-8")

    def _write_user(self, authority: Authority, user: str) -> None:
        common_name, organization = USERS[user]
        certificate, key = authority.sign_client(user, common_name, organization)
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": CONTEXT,
            "clusters": [
                {
                    "name": CONTEXT,
                    "cluster": {
                        "server": self.url,
                        "certificate-authority": str(authority.certificate),
                    },
                }
            ],
            "users": [
                {
                    "name": user,
                    "user": {"client-certificate": str(certificate), "client-key": str(key)},
                }
            ],
            "contexts": [
                {
                    "name": CONTEXT,
                    "context": {"cluster": CONTEXT, "user": user, "namespace": "default"},
                }
            ],
        }
        path = self.kubeconfig(user)
        path.touch(0o600)
        path.write_text(json.dumps(config), encoding="utf-8")  # JSON is YAML

    def etcd(self) -> list[str]:
        """A single member that does not wait for the disk: it will not outlive its run."""
        client = f"http://127.0.0.1:{self.ports.etcd}"
        peer = f"http://127.0.0.1:{self.ports.etcd_peer}"
        return [
            *("etcd", f"--data-dir={self.folder / 'etcd'}", "--unsafe-no-fsync"),
            *(f"--listen-client-urls={client}", f"--advertise-client-urls={client}"),
            *(f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}"),
            *(f"--initial-cluster=default={peer}", "--log-level=warn"),
        ]

    def apiserver(self) -> list[str]:
        """With RBAC, Pod Security and an audit log, as production has them."""
        pki = self.pki
        return [
            *("apiserver", f"--etcd-servers=http://127.0.0.1:{self.ports.etcd}"),
            *("--bind-address=127.0.0.1", "--advertise-address=127.0.0.1"),
            *(f"--secure-port={self.ports.api}", "--endpoint-reconciler-type=none"),
            *("--service-cluster-ip-range=10.0.0.0/16", "--authorization-mode=Node,RBAC"),
            f"--client-ca-file={pki / 'ca.crt'}",
            f"--tls-cert-file={pki / 'apiserver.crt'}",
            f"--tls-private-key-file={pki / 'apiserver.key'}",
            f"--kubelet-certificate-authority={pki / 'ca.crt'}",
            f"--kubelet-client-certificate={pki / 'admin.crt'}",
            f"--kubelet-client-key={pki / 'admin.key'}",
            "--kubelet-preferred-address-types=InternalIP",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={pki / 'service-accounts.crt'}",
            f"--service-account-signing-key-file={pki / 'service-accounts.key'}",
            f"--audit-policy-file={self.folder / 'audit-policy.json'}",
            f"--audit-log-path={self.audit_log}",
            # Tests ask for all at once what a cluster spreads over a day.
            *("--enable-priority-and-fairness=false", "--profiling=false"),
        ]

    def controller_manager(self) -> list[str]:
        """Alone, so it need not be elected; quick at namespaces, since each test has one."""
        plugins = self.folder / "plugins"  # it would make a folder in /usr
        return [
            *("controller-manager", "--leader-elect=false", "--secure-port=0"),
            f"--kubeconfig={self.kubeconfig('controller-manager')}",
            f"--service-account-private-key-file={self.pki / 'service-accounts.key'}",
            f"--root-ca-file={self.pki / 'ca.crt'}",
            *("--use-service-account-credentials=true", "--concurrent-namespace-syncs=20"),
            *(f"--flex-volume-plugin-dir={plugins}", "--profiling=false", *QUICK),
        ]

    def scheduler(self) -> list[str]:
        """Alone as well."""
        return [
            *("scheduler", "--leader-elect=false", "--secure-port=0"),
            f"--kubeconfig={self.kubeconfig('scheduler')}",
            *("--profiling=false", *QUICK),
        ]

    def fake_nodes(self) -> list[str]:
        """kwok; it plays the kubelet of every node that has the annotation."""
        kubelet = f"127.0.0.1:{self.ports.kubelet}"
        return [
            *(f"--kubeconfig={self.kubeconfig(FAKE_NODES)}", f"--config={HERE / 'stages.yaml'}"),
            "--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake",
            *("--node-ip=127.0.0.1", f"--node-port={self.ports.kubelet}"),
            *(f"--server-address={kubelet}", "--node-lease-duration-seconds=40"),
            *("--cidr=10.128.0.0/12", f"--tls-cert-file={self.pki / 'kubelet.crt'}"),
            f"--tls-private-key-file={self.pki / 'kubelet.key'}",
        ]
