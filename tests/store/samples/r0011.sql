-- A database as the release with revision r0011 of the tables left it (sqlite3 .dump): a site, two hosts, a network of two
-- ports in a group of their own, a third one that was removed, a quota.
BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('r0011');
CREATE TABLE allocations (
	pool VARCHAR NOT NULL, 
	value BIGINT NOT NULL, 
	state VARCHAR NOT NULL, 
	since VARCHAR NOT NULL, 
	PRIMARY KEY (pool, value)
);
INSERT INTO "allocations" VALUES('host_key',1,'allocated','2026-11-28T14:16:21.033778+00:00');
INSERT INTO "allocations" VALUES('host_key',2,'allocated','2026-11-28T14:16:21.091857+00:00');
INSERT INTO "allocations" VALUES('network_key',1,'allocated','2026-11-28T14:16:21.146428+00:00');
INSERT INTO "allocations" VALUES('vni',4096,'allocated','2026-11-28T14:16:21.146428+00:00');
INSERT INTO "allocations" VALUES('group_key',1,'allocated','2026-11-28T14:16:21.355194+00:00');
INSERT INTO "allocations" VALUES('group_key',2,'allocated','2026-11-28T14:16:21.355194+00:00');
INSERT INTO "allocations" VALUES('port_key',1,'allocated','2026-11-28T14:16:21.444574+00:00');
INSERT INTO "allocations" VALUES('zone:h1',1,'allocated','2026-11-28T14:16:21.444574+00:00');
INSERT INTO "allocations" VALUES('port_key',2,'allocated','2026-11-28T14:16:21.560699+00:00');
INSERT INTO "allocations" VALUES('zone:h2',1,'allocated','2026-11-28T14:16:21.560699+00:00');
INSERT INTO "allocations" VALUES('port_key',3,'quarantined','2026-11-28T14:16:21.702351+00:00');
CREATE TABLE changes (
	epoch INTEGER NOT NULL, 
	number BIGINT NOT NULL, 
	kind VARCHAR NOT NULL, 
	id VARCHAR NOT NULL, 
	"before" TEXT, 
	"after" TEXT, 
	PRIMARY KEY (epoch, number, kind, id)
);
INSERT INTO "changes" VALUES(1,1,'site','tokyo',NULL,'{"id":"tokyo","description":"","mtu":9000}');
INSERT INTO "changes" VALUES(1,2,'host','h1',NULL,'{"id":"h1","site_id":"tokyo","endpoints":[{"address":"192.0.2.1","preference":0},{"address":"2001:db8::1","preference":1}],"bridge":"br-overlace","datapath_id":0,"fabric_interface":"","observe_only":false,"description":"","projects":[],"key":1}');
INSERT INTO "changes" VALUES(1,3,'host','h2',NULL,'{"id":"h2","site_id":"tokyo","endpoints":[{"address":"192.0.2.2","preference":0},{"address":"2001:db8::2","preference":1}],"bridge":"br-overlace","datapath_id":0,"fabric_interface":"","observe_only":false,"description":"","projects":[],"key":2}');
INSERT INTO "changes" VALUES(1,4,'network','c09b0555-43e9-4207-a364-4298595d8f5f',NULL,'{"id":"c09b0555-43e9-4207-a364-4298595d8f5f","project_id":"blue","name":"web","description":"","admin_state_up":true,"shared":false,"external":false,"mtu":8930,"port_security_enabled":true,"tags":[],"revision_number":1,"created_at":"2026-11-28T14:16:21+00:00","updated_at":"2026-11-28T14:16:21+00:00","key":1}');
INSERT INTO "changes" VALUES(1,4,'segment','fe759258-a0be-41a6-8471-5f9864c36b70',NULL,'{"id":"fe759258-a0be-41a6-8471-5f9864c36b70","network_id":"c09b0555-43e9-4207-a364-4298595d8f5f","network_type":"vxlan","physical_network":null,"segmentation_id":4096,"name":"","description":"","revision_number":1,"created_at":"2026-11-28T14:16:21+00:00","updated_at":"2026-11-28T14:16:21+00:00"}');
INSERT INTO "changes" VALUES(1,5,'subnet','5aa13e0b-5bf0-434e-8141-219eabbf2c2b',NULL,'{"id":"5aa13e0b-5bf0-434e-8141-219eabbf2c2b","project_id":"blue","network_id":"c09b0555-43e9-4207-a364-4298595d8f5f","name":"","description":"","ip_version":4,"cidr":"10.0.0.0/24","gateway_ip":"10.0.0.1","allocation_pools":[{"start":"10.0.0.2","end":"10.0.0.254"}],"dns_nameservers":[],"host_routes":[],"enable_dhcp":true,"ipv6_ra_mode":null,"ipv6_address_mode":null,"tags":[],"revision_number":1,"created_at":"2026-11-28T14:16:21+00:00","updated_at":"2026-11-28T14:16:21+00:00"}');
INSERT INTO "changes" VALUES(1,5,'network','c09b0555-43e9-4207-a364-4298595d8f5f','{"id":"c09b0555-43e9-4207-a364-4298595d8f5f","project_id":"blue","name":"web","description":"","admin_state_up":true,"shared":false,"external":false,"mtu":8930,"port_security_enabled":true,"tags":[],"revision_number":1,"created_at":"2026-11-28T14:16:21+00:00","updated_at":"2026-11-28T14:16:21+00:00","key":1}','{"id":"c09b0555-43e9-4207-a364-4298595d8f5f","project_id":"blue","name":"web","description":"","admin_state_up":true,"shared":false,"external":false,"mtu":8930,"port_security_enabled":true,"tags":[],"revision_number":2,"created_at":"2026-11-28T14:16:21+00:00","updated_at":"2026-11-28T14:16:21+00:00","key":1}');
INSERT INTO "changes" VALUES(1,6,'subnet','7b981df7-43f5-415e-bda1-738bb8ccc85d',NULL,'{"id":"7b981df7-43f5-415e-bda1-738bb8ccc85d","project_id":"blue","network_id":"c09b0555-43e9-4207-a364-4298595d8f5f","name":"","description":"","ip_version":6,"cidr":"fd00::/64","gateway_ip":"fd00::1","allocation_pools":[{"start":"fd00::2","end":"fd00::ffff:ffff:ffff:ffff"}],"dns_nameservers":[],"host_routes":[],"enable_dhcp":true,"ipv6_ra_mode":null,"ipv6_address_mode":null,"tags":[],"revision_number":1,"created_at":"2026-11-28T14:16:21+00:00","updated_at":"2026-11-28T14:16:21+00:00"}');
INSERT INTO "changes" VALUES(1,6,'network','c09b0555-43e9-4207-a364-4298595d8f5f','{"id":"c09b0555-43e9-4207-a364-4298595d8f5f","project_id":"blue","name":"web","description":"","admin_state_up":true,"shared":false,"external":false,"mtu":8930,"port_security_enabled":true,"tags":[],"revision_number":2,"created_at":"2026-11-28T14:16:21+00:00","updated_at":"2026-11-28T14:16:21+00:00","key":1}','{"id":"c09b0555-43e9-4207-a364-4298595d8f5f","project_id":"blue","name":"web","description":"","admin_state_up":true,"shared":false,"external":false,"mtu":8930,"port_security_enabled":true,"tags":[],"revision_number":3,"created_at":"2026-11-28T14:16:21+00:00","updated_at":"2026-11-28T14:16:21+00:00","key":1}');
INSERT INTO "changes" VALUES(1,7,'security_group','b15253aa-faa5-47a2-94d7-5c61f9260e63',NULL,'{"id":"b15253aa-faa5-47a2-94d7-5c61f9260e63","project_id":"blue","name":"default","description":"Default security group","stateful":true,"shared":false,"tags":[],"revision_number":1,"created_at":"2026-11-28T14:16:21+00:00","updated_at":"2026-11-28T14:16:21+00:00","key":1}');
INSERT INTO "changes" VALUES(1,7,'security_group_rule','831d1ef5-b8fa-49f6-9b57-029d7d433876',NULL,'{"id":"831d1ef5-b8fa-49f6-9b57-029d7d433876","project_id":"blue","security_group_id":"b15253aa-faa5-47a2-94d7-5c61f9260e63","direction":"egress","ethertype":"IPv4","protocol":null,"port_range_min":null,"port_range_max":null,"remote_ip_prefix":null,"remote_group_id":null,"description":"","revision_number":1,"created_at":"2026-11-28T14:16:21+00:00","updated_at":"2026-11-28T14:16:21+00:00"}');
INSERT INTO "changes" VALUES(1,7,'security_group_rule','bb51a4d2-ab2e-45e5-8ceb-d2f3bd9b4689',NULL,'{"id":"bb51a4d2-ab2e-45e5-8ceb-d2f3bd9b4689","project_id":"blue","security_group_id":"b15253aa-faa5-47a2-94d7-5c61f9260e63","direction":"egress","ethertype":"IPv6","protocol":null,"port_range_min":null,"port_range_max":null,"remote_ip_prefix":null,"remote_group_id":null,"description":"","revision_number":1,"created_at":"2026-11-28T14:16:21+00:00","updated_at":"2026-11-28T14:16:21+00:00"}');
INSERT INTO "changes" VALUES(1,7,'security_group_rule','02cfc472-f21a-464d-b735-0325620a28df',NULL,'{"id":"02cfc472-f21a-464d-b735-0325620a28df","project_id":"blue","security_group_id":"b15253aa-faa5-47a2-94d7-5c61f9260e63","direction":"ingress","ethertype":"IPv4","protocol":null,"port_range_min":null,"port_range_max":null,"remote_ip_prefix":null,"remote_group_id":"b15253aa-faa5-47a2-94d7-5c61f9260e63","description":"","revision_number":1,"created_at":"2026-11-28T14:16:21+00:00","updated_at":"2026-11-28T14:16:21+00:00"}');
INSERT INTO "changes" VALUES(1,7,'security_group_rule','7e8e53d5-d3e0-4583-a3a2-5fdd7107d7c9',NULL,'{"id":"7e8e53d5-d3e0-4583-a3a2-5fdd7107d7c9","project_id":"blue","security_group_id":"b15253aa-faa5-47a2-94d7-5c61f9260e63","direction":"ingress","ethertype":"IPv6","protocol":null,"port_range_min":null,"port_range_max":null,"remote_ip_prefix":null,"remote_group_id":"b15253aa-faa5-47a2-94d7-5c61f9260e63","description":"","revision_number":1,"created_at":"2026-11-28T14:16:21+00:00","updated_at":"2026-11-28T14:16:21+00:00"}');
INSERT INTO "changes" VALUES(1,7,'security_group','a8e5bc12-eb68-487c-b7fc-ee1fe2fb800a',NULL,'{"id":"a8e5bc12-eb68-487c-b7fc-ee1fe2fb800a","project_id":"blue","name":"open","description":"","stateful":true,"shared":false,"tags":[],"revision_number":1,"created_at":"2026-11-28T14:16:21+00:00","updated_at":"2026-11-28T14:16:21+00:00","key":2}');
INSERT INTO "changes" VALUES(1,7,'security_group_rule','f9609d3f-b497-4a8a-be1a-6b1c192fb417',NULL,'{"id":"f9609d3f-b497-4a8a-be1a-6b1c192fb417","project_id":"blue","security_group_id":"a8e5bc12-eb68-487c-b7fc-ee1fe2fb800a","direction":"egress","ethertype":"IPv4","protocol":null,"port_range_min":null,"port_range_max":null,"remote_ip_prefix":null,"remote_group_id":null,"description":"","revision_number":1,"created_at":"2026-11-28T14:16:21+00:00","updated_at":"2026-11-28T14:16:21+00:00"}');
INSERT INTO "changes" VALUES(1,7,'security_group_rule','4bd8db23-9bf9-47cd-a96a-0dbd9d8be43d',NULL,'{"id":"4bd8db23-9bf9-47cd-a96a-0dbd9d8be43d","project_id":"blue","security_group_id":"a8e5bc12-eb68-487c-b7fc-ee1fe2fb800a","direction":"egress","ethertype":"IPv6","protocol":null,"port_range_min":null,"port_range_max":null,"remote_ip_prefix":null,"remote_group_id":null,"description":"","revision_number":1,"created_at":"2026-11-28T14:16:21+00:00","updated_at":"2026-11-28T14:16:21+00:00"}');
INSERT INTO "changes" VALUES(1,8,'security_group_rule','25531b2e-3501-4934-81af-6bbbe83911cb',NULL,'{"id":"25531b2e-3501-4934-81af-6bbbe83911cb","project_id":"blue","security_group_id":"a8e5bc12-eb68-487c-b7fc-ee1fe2fb800a","direction":"ingress","ethertype":"IPv4","protocol":"tcp","port_range_min":80,"port_range_max":80,"remote_ip_prefix":null,"remote_group_id":null,"description":"","revision_number":1,"created_at":"2026-11-28T14:16:21+00:00","updated_at":"2026-11-28T14:16:21+00:00"}');
INSERT INTO "changes" VALUES(1,8,'security_group','a8e5bc12-eb68-487c-b7fc-ee1fe2fb800a','{"id":"a8e5bc12-eb68-487c-b7fc-ee1fe2fb800a","project_id":"blue","name":"open","description":"","stateful":true,"shared":false,"tags":[],"revision_number":1,"created_at":"2026-11-28T14:16:21+00:00","updated_at":"2026-11-28T14:16:21+00:00","key":2}','{"id":"a8e5bc12-eb68-487c-b7fc-ee1fe2fb800a","project_id":"blue","name":"open","description":"","stateful":true,"shared":false,"tags":[],"revision_number":2,"created_at":"2026-11-28T14:16:21+00:00","updated_at":"2026-11-28T14:16:21+00:00","key":2}');
INSERT INTO "changes" VALUES(1,9,'port','7a544722-1292-4e50-bb6e-a639052cc907',NULL,'{"id":"7a544722-1292-4e50-bb6e-a639052cc907","project_id":"blue","network_id":"c09b0555-43e9-4207-a364-4298595d8f5f","name":"web1","description":"","admin_state_up":true,"mac_address":2199023255553,"fixed_ips":[{"subnet_id":"5aa13e0b-5bf0-434e-8141-219eabbf2c2b","ip_address":"10.0.0.11"},{"subnet_id":"7b981df7-43f5-415e-bda1-738bb8ccc85d","ip_address":"fd00::11"}],"device_id":"","device_owner":"","security_groups":["a8e5bc12-eb68-487c-b7fc-ee1fe2fb800a"],"port_security_enabled":true,"allowed_address_pairs":[{"ip_address":"10.0.0.100/32","mac_address":null}],"extra_dhcp_opts":[],"host_id":"h1","vnic_type":"normal","interface_name":"","profile":"","tags":[],"revision_number":1,"created_at":"2026-11-28T14:16:21+00:00","updated_at":"2026-11-28T14:16:21+00:00","key":1,"generation":1}');
INSERT INTO "changes" VALUES(1,9,'binding','7a544722-1292-4e50-bb6e-a639052cc907@h1',NULL,'{"port_id":"7a544722-1292-4e50-bb6e-a639052cc907","network_id":"c09b0555-43e9-4207-a364-4298595d8f5f","host_id":"h1","state":"active","generation":1,"zone":1,"since":"2026-11-28T14:16:21+00:00","reason":"","profile":null}');
INSERT INTO "changes" VALUES(1,10,'port','c07932fa-4b45-45a1-a7b8-462f6ea988d9',NULL,'{"id":"c07932fa-4b45-45a1-a7b8-462f6ea988d9","project_id":"blue","network_id":"c09b0555-43e9-4207-a364-4298595d8f5f","name":"web2","description":"","admin_state_up":true,"mac_address":2199023255554,"fixed_ips":[{"subnet_id":"5aa13e0b-5bf0-434e-8141-219eabbf2c2b","ip_address":"10.0.0.12"},{"subnet_id":"7b981df7-43f5-415e-bda1-738bb8ccc85d","ip_address":"fd00::12"}],"device_id":"","device_owner":"","security_groups":["a8e5bc12-eb68-487c-b7fc-ee1fe2fb800a"],"port_security_enabled":true,"allowed_address_pairs":[],"extra_dhcp_opts":[],"host_id":"h2","vnic_type":"normal","interface_name":"","profile":"","tags":[],"revision_number":1,"created_at":"2026-11-28T14:16:21+00:00","updated_at":"2026-11-28T14:16:21+00:00","key":2,"generation":1}');
INSERT INTO "changes" VALUES(1,10,'binding','c07932fa-4b45-45a1-a7b8-462f6ea988d9@h2',NULL,'{"port_id":"c07932fa-4b45-45a1-a7b8-462f6ea988d9","network_id":"c09b0555-43e9-4207-a364-4298595d8f5f","host_id":"h2","state":"active","generation":1,"zone":1,"since":"2026-11-28T14:16:21+00:00","reason":"","profile":null}');
INSERT INTO "changes" VALUES(1,11,'port','bebbcd77-3910-464b-abf3-b4d4d90f39ed',NULL,'{"id":"bebbcd77-3910-464b-abf3-b4d4d90f39ed","project_id":"blue","network_id":"c09b0555-43e9-4207-a364-4298595d8f5f","name":"gone","description":"","admin_state_up":true,"mac_address":274973442064585,"fixed_ips":[{"subnet_id":"5aa13e0b-5bf0-434e-8141-219eabbf2c2b","ip_address":"10.0.0.2"},{"subnet_id":"7b981df7-43f5-415e-bda1-738bb8ccc85d","ip_address":"fd00::2"}],"device_id":"","device_owner":"","security_groups":["b15253aa-faa5-47a2-94d7-5c61f9260e63"],"port_security_enabled":true,"allowed_address_pairs":[],"extra_dhcp_opts":[],"host_id":"","vnic_type":"normal","interface_name":"","profile":"","tags":[],"revision_number":1,"created_at":"2026-11-28T14:16:21+00:00","updated_at":"2026-11-28T14:16:21+00:00","key":3,"generation":0}');
INSERT INTO "changes" VALUES(1,12,'port','bebbcd77-3910-464b-abf3-b4d4d90f39ed','{"id":"bebbcd77-3910-464b-abf3-b4d4d90f39ed","project_id":"blue","network_id":"c09b0555-43e9-4207-a364-4298595d8f5f","name":"gone","description":"","admin_state_up":true,"mac_address":274973442064585,"fixed_ips":[{"subnet_id":"5aa13e0b-5bf0-434e-8141-219eabbf2c2b","ip_address":"10.0.0.2"},{"subnet_id":"7b981df7-43f5-415e-bda1-738bb8ccc85d","ip_address":"fd00::2"}],"device_id":"","device_owner":"","security_groups":["b15253aa-faa5-47a2-94d7-5c61f9260e63"],"port_security_enabled":true,"allowed_address_pairs":[],"extra_dhcp_opts":[],"host_id":"","vnic_type":"normal","interface_name":"","profile":"","tags":[],"revision_number":1,"created_at":"2026-11-28T14:16:21+00:00","updated_at":"2026-11-28T14:16:21+00:00","key":3,"generation":0}',NULL);
INSERT INTO "changes" VALUES(1,12,'resting_address','c09b0555-43e9-4207-a364-4298595d8f5f/10.0.0.2',NULL,'{"network_id":"c09b0555-43e9-4207-a364-4298595d8f5f","ip_address":"10.0.0.2","project_id":"blue","holder":3,"since":"2026-11-28T14:16:21+00:00"}');
INSERT INTO "changes" VALUES(1,12,'resting_address','c09b0555-43e9-4207-a364-4298595d8f5f/fd00::2',NULL,'{"network_id":"c09b0555-43e9-4207-a364-4298595d8f5f","ip_address":"fd00::2","project_id":"blue","holder":3,"since":"2026-11-28T14:16:21+00:00"}');
INSERT INTO "changes" VALUES(1,13,'quota','blue:port',NULL,'{"project_id":"blue","resource":"port","limit":77}');
CREATE TABLE epochs (
	epoch BIGINT NOT NULL, 
	"after" BIGINT NOT NULL, 
	PRIMARY KEY (epoch)
);
INSERT INTO "epochs" VALUES(1,0);
CREATE TABLE meta (
	name VARCHAR NOT NULL, 
	value TEXT NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "meta" VALUES('origin','site');
INSERT INTO "meta" VALUES('epoch','1');
INSERT INTO "meta" VALUES('cluster','c5d04ce3-13d0-4c35-8059-e114925c110a');
INSERT INTO "meta" VALUES('cursor:host_key','2');
INSERT INTO "meta" VALUES('cursor:vni','4096');
INSERT INTO "meta" VALUES('cursor:network_key','1');
INSERT INTO "meta" VALUES('cursor:group_key','2');
INSERT INTO "meta" VALUES('cursor:zone:h1','1');
INSERT INTO "meta" VALUES('cursor:zone:h2','1');
INSERT INTO "meta" VALUES('cursor:port_key','3');
INSERT INTO "meta" VALUES('number','13');
CREATE TABLE resource_binding (
	id VARCHAR NOT NULL, 
	port_id VARCHAR NOT NULL, 
	network_id VARCHAR NOT NULL, 
	host_id VARCHAR NOT NULL, 
	state VARCHAR NOT NULL, 
	generation BIGINT NOT NULL, 
	zone BIGINT NOT NULL, since VARCHAR, reason VARCHAR DEFAULT '' NOT NULL, profile VARCHAR, 
	PRIMARY KEY (id)
);
INSERT INTO "resource_binding" VALUES('7a544722-1292-4e50-bb6e-a639052cc907@h1','7a544722-1292-4e50-bb6e-a639052cc907','c09b0555-43e9-4207-a364-4298595d8f5f','h1','active',1,1,'2026-11-28T14:16:21+00:00','',NULL);
INSERT INTO "resource_binding" VALUES('c07932fa-4b45-45a1-a7b8-462f6ea988d9@h2','c07932fa-4b45-45a1-a7b8-462f6ea988d9','c09b0555-43e9-4207-a364-4298595d8f5f','h2','active',1,1,'2026-11-28T14:16:21+00:00','',NULL);
CREATE TABLE resource_controller (
	id VARCHAR NOT NULL, 
	observe_only BOOLEAN NOT NULL, tunnel_port BIGINT DEFAULT '4789' NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE resource_host (
	id VARCHAR NOT NULL, 
	site_id VARCHAR NOT NULL, 
	endpoints TEXT NOT NULL, 
	bridge VARCHAR NOT NULL, 
	datapath_id VARCHAR(16) NOT NULL, 
	fabric_interface VARCHAR NOT NULL, 
	observe_only BOOLEAN NOT NULL, 
	description VARCHAR NOT NULL, 
	projects TEXT NOT NULL, 
	"key" BIGINT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "resource_host" VALUES('h1','tokyo','[{"address":"192.0.2.1","preference":0},{"address":"2001:db8::1","preference":1}]','br-overlace','0000000000000000','',0,'','[]',1);
INSERT INTO "resource_host" VALUES('h2','tokyo','[{"address":"192.0.2.2","preference":0},{"address":"2001:db8::2","preference":1}]','br-overlace','0000000000000000','',0,'','[]',2);
CREATE TABLE resource_link (
	id VARCHAR NOT NULL, 
	a_node VARCHAR NOT NULL, 
	a_interface VARCHAR NOT NULL, 
	b_node VARCHAR NOT NULL, 
	b_interface VARCHAR NOT NULL, 
	cost BIGINT NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE resource_machine (
	id VARCHAR NOT NULL, 
	project_id VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	host_id VARCHAR NOT NULL, 
	driver VARCHAR NOT NULL, 
	own_disks BOOLEAN NOT NULL, 
	description VARCHAR NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE resource_move (
	id VARCHAR NOT NULL, 
	port_id VARCHAR NOT NULL, 
	project_id VARCHAR NOT NULL, 
	network_id VARCHAR NOT NULL, 
	from_host VARCHAR NOT NULL, 
	to_host VARCHAR NOT NULL, 
	generation BIGINT NOT NULL, 
	state VARCHAR NOT NULL, 
	prepared_by VARCHAR NOT NULL, 
	activated_by VARCHAR NOT NULL, 
	actor VARCHAR NOT NULL, 
	reason VARCHAR NOT NULL, 
	prepared_at VARCHAR NOT NULL, 
	activated_at VARCHAR, 
	ended_at VARCHAR, machine_id VARCHAR DEFAULT '' NOT NULL, mode VARCHAR DEFAULT '' NOT NULL, event VARCHAR DEFAULT '' NOT NULL, copied_bytes BIGINT DEFAULT '0' NOT NULL, disk_bytes BIGINT DEFAULT '0' NOT NULL, stop_ms BIGINT DEFAULT '0' NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE resource_network (
	id VARCHAR NOT NULL, 
	project_id VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	description VARCHAR NOT NULL, 
	admin_state_up BOOLEAN NOT NULL, 
	shared BOOLEAN NOT NULL, 
	external BOOLEAN NOT NULL, 
	mtu BIGINT NOT NULL, 
	port_security_enabled BOOLEAN NOT NULL, 
	tags TEXT NOT NULL, 
	revision_number BIGINT NOT NULL, 
	created_at VARCHAR, 
	updated_at VARCHAR, 
	"key" BIGINT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "resource_network" VALUES('c09b0555-43e9-4207-a364-4298595d8f5f','blue','web','',1,0,0,8930,1,'[]',3,'2026-11-28T14:16:21+00:00','2026-11-28T14:16:21+00:00',1);
CREATE TABLE resource_port (
	id VARCHAR NOT NULL, 
	project_id VARCHAR NOT NULL, 
	network_id VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	description VARCHAR NOT NULL, 
	admin_state_up BOOLEAN NOT NULL, 
	mac_address BIGINT NOT NULL, 
	fixed_ips TEXT NOT NULL, 
	device_id VARCHAR NOT NULL, 
	device_owner VARCHAR NOT NULL, 
	security_groups TEXT NOT NULL, 
	port_security_enabled BOOLEAN NOT NULL, 
	allowed_address_pairs TEXT NOT NULL, 
	extra_dhcp_opts TEXT NOT NULL, 
	host_id VARCHAR NOT NULL, 
	vnic_type VARCHAR NOT NULL, 
	interface_name VARCHAR NOT NULL, 
	tags TEXT NOT NULL, 
	revision_number BIGINT NOT NULL, 
	created_at VARCHAR, 
	updated_at VARCHAR, 
	"key" BIGINT NOT NULL, generation BIGINT DEFAULT '0' NOT NULL, profile VARCHAR DEFAULT '' NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "resource_port" VALUES('7a544722-1292-4e50-bb6e-a639052cc907','blue','c09b0555-43e9-4207-a364-4298595d8f5f','web1','',1,2199023255553,'[{"subnet_id":"5aa13e0b-5bf0-434e-8141-219eabbf2c2b","ip_address":"10.0.0.11"},{"subnet_id":"7b981df7-43f5-415e-bda1-738bb8ccc85d","ip_address":"fd00::11"}]','','','["a8e5bc12-eb68-487c-b7fc-ee1fe2fb800a"]',1,'[{"ip_address":"10.0.0.100/32","mac_address":null}]','[]','h1','normal','','[]',1,'2026-11-28T14:16:21+00:00','2026-11-28T14:16:21+00:00',1,1,'');
INSERT INTO "resource_port" VALUES('c07932fa-4b45-45a1-a7b8-462f6ea988d9','blue','c09b0555-43e9-4207-a364-4298595d8f5f','web2','',1,2199023255554,'[{"subnet_id":"5aa13e0b-5bf0-434e-8141-219eabbf2c2b","ip_address":"10.0.0.12"},{"subnet_id":"7b981df7-43f5-415e-bda1-738bb8ccc85d","ip_address":"fd00::12"}]','','','["a8e5bc12-eb68-487c-b7fc-ee1fe2fb800a"]',1,'[]','[]','h2','normal','','[]',1,'2026-11-28T14:16:21+00:00','2026-11-28T14:16:21+00:00',2,1,'');
CREATE TABLE resource_procedure (
	id VARCHAR NOT NULL, 
	project_id VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	machine_id VARCHAR NOT NULL, 
	from_host VARCHAR NOT NULL, 
	to_host VARCHAR NOT NULL, 
	parent VARCHAR NOT NULL, 
	mode VARCHAR NOT NULL, 
	state VARCHAR NOT NULL, 
	step VARCHAR NOT NULL, 
	actor VARCHAR NOT NULL, 
	reason VARCHAR NOT NULL, 
	started_at VARCHAR NOT NULL, 
	entered_at VARCHAR NOT NULL, 
	mode_taken VARCHAR NOT NULL, 
	"trigger" VARCHAR NOT NULL, 
	place BIGINT NOT NULL, 
	bandwidth_mbit BIGINT NOT NULL, 
	timeout BIGINT NOT NULL, 
	copied_bytes BIGINT NOT NULL, 
	disk_bytes BIGINT NOT NULL, 
	stop_ms BIGINT NOT NULL, 
	with_disks BOOLEAN NOT NULL, 
	abort_wanted BOOLEAN NOT NULL, 
	ended_at VARCHAR, 
	PRIMARY KEY (id)
);
CREATE TABLE resource_project (
	id VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	description VARCHAR NOT NULL, 
	enabled BOOLEAN NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE resource_quota (
	id VARCHAR NOT NULL, 
	project_id VARCHAR NOT NULL, 
	resource VARCHAR NOT NULL, 
	"limit" BIGINT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "resource_quota" VALUES('blue:port','blue','port',77);
CREATE TABLE resource_resting_address (
	id VARCHAR NOT NULL, 
	network_id VARCHAR NOT NULL, 
	ip_address VARCHAR NOT NULL, 
	project_id VARCHAR NOT NULL, 
	holder BIGINT NOT NULL, 
	since VARCHAR NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "resource_resting_address" VALUES('c09b0555-43e9-4207-a364-4298595d8f5f/10.0.0.2','c09b0555-43e9-4207-a364-4298595d8f5f','10.0.0.2','blue',3,'2026-11-28T14:16:21+00:00');
INSERT INTO "resource_resting_address" VALUES('c09b0555-43e9-4207-a364-4298595d8f5f/fd00::2','c09b0555-43e9-4207-a364-4298595d8f5f','fd00::2','blue',3,'2026-11-28T14:16:21+00:00');
CREATE TABLE resource_role_assignment (
	id VARCHAR NOT NULL, 
	user_id VARCHAR NOT NULL, 
	project_id VARCHAR NOT NULL, 
	role VARCHAR NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE resource_security_group (
	id VARCHAR NOT NULL, 
	project_id VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	description VARCHAR NOT NULL, 
	stateful BOOLEAN NOT NULL, 
	shared BOOLEAN NOT NULL, 
	tags TEXT NOT NULL, 
	revision_number BIGINT NOT NULL, 
	created_at VARCHAR, 
	updated_at VARCHAR, 
	"key" BIGINT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "resource_security_group" VALUES('b15253aa-faa5-47a2-94d7-5c61f9260e63','blue','default','Default security group',1,0,'[]',1,'2026-11-28T14:16:21+00:00','2026-11-28T14:16:21+00:00',1);
INSERT INTO "resource_security_group" VALUES('a8e5bc12-eb68-487c-b7fc-ee1fe2fb800a','blue','open','',1,0,'[]',2,'2026-11-28T14:16:21+00:00','2026-11-28T14:16:21+00:00',2);
CREATE TABLE resource_security_group_rule (
	id VARCHAR NOT NULL, 
	project_id VARCHAR NOT NULL, 
	security_group_id VARCHAR NOT NULL, 
	direction VARCHAR NOT NULL, 
	ethertype VARCHAR NOT NULL, 
	protocol VARCHAR, 
	port_range_min BIGINT, 
	port_range_max BIGINT, 
	remote_ip_prefix VARCHAR, 
	remote_group_id VARCHAR, 
	description VARCHAR NOT NULL, 
	revision_number BIGINT NOT NULL, 
	created_at VARCHAR, 
	updated_at VARCHAR, 
	PRIMARY KEY (id)
);
INSERT INTO "resource_security_group_rule" VALUES('831d1ef5-b8fa-49f6-9b57-029d7d433876','blue','b15253aa-faa5-47a2-94d7-5c61f9260e63','egress','IPv4',NULL,NULL,NULL,NULL,NULL,'',1,'2026-11-28T14:16:21+00:00','2026-11-28T14:16:21+00:00');
INSERT INTO "resource_security_group_rule" VALUES('bb51a4d2-ab2e-45e5-8ceb-d2f3bd9b4689','blue','b15253aa-faa5-47a2-94d7-5c61f9260e63','egress','IPv6',NULL,NULL,NULL,NULL,NULL,'',1,'2026-11-28T14:16:21+00:00','2026-11-28T14:16:21+00:00');
INSERT INTO "resource_security_group_rule" VALUES('02cfc472-f21a-464d-b735-0325620a28df','blue','b15253aa-faa5-47a2-94d7-5c61f9260e63','ingress','IPv4',NULL,NULL,NULL,NULL,'b15253aa-faa5-47a2-94d7-5c61f9260e63','',1,'2026-11-28T14:16:21+00:00','2026-11-28T14:16:21+00:00');
INSERT INTO "resource_security_group_rule" VALUES('7e8e53d5-d3e0-4583-a3a2-5fdd7107d7c9','blue','b15253aa-faa5-47a2-94d7-5c61f9260e63','ingress','IPv6',NULL,NULL,NULL,NULL,'b15253aa-faa5-47a2-94d7-5c61f9260e63','',1,'2026-11-28T14:16:21+00:00','2026-11-28T14:16:21+00:00');
INSERT INTO "resource_security_group_rule" VALUES('f9609d3f-b497-4a8a-be1a-6b1c192fb417','blue','a8e5bc12-eb68-487c-b7fc-ee1fe2fb800a','egress','IPv4',NULL,NULL,NULL,NULL,NULL,'',1,'2026-11-28T14:16:21+00:00','2026-11-28T14:16:21+00:00');
INSERT INTO "resource_security_group_rule" VALUES('4bd8db23-9bf9-47cd-a96a-0dbd9d8be43d','blue','a8e5bc12-eb68-487c-b7fc-ee1fe2fb800a','egress','IPv6',NULL,NULL,NULL,NULL,NULL,'',1,'2026-11-28T14:16:21+00:00','2026-11-28T14:16:21+00:00');
INSERT INTO "resource_security_group_rule" VALUES('25531b2e-3501-4934-81af-6bbbe83911cb','blue','a8e5bc12-eb68-487c-b7fc-ee1fe2fb800a','ingress','IPv4','tcp',80,80,NULL,NULL,'',1,'2026-11-28T14:16:21+00:00','2026-11-28T14:16:21+00:00');
CREATE TABLE resource_segment (
	id VARCHAR NOT NULL, 
	network_id VARCHAR NOT NULL, 
	network_type VARCHAR NOT NULL, 
	physical_network VARCHAR, 
	segmentation_id BIGINT, 
	name VARCHAR NOT NULL, 
	description VARCHAR NOT NULL, 
	revision_number BIGINT NOT NULL, 
	created_at VARCHAR, 
	updated_at VARCHAR, 
	PRIMARY KEY (id)
);
INSERT INTO "resource_segment" VALUES('fe759258-a0be-41a6-8471-5f9864c36b70','c09b0555-43e9-4207-a364-4298595d8f5f','vxlan',NULL,4096,'','',1,'2026-11-28T14:16:21+00:00','2026-11-28T14:16:21+00:00');
CREATE TABLE resource_site (
	id VARCHAR NOT NULL, 
	description VARCHAR NOT NULL, 
	mtu BIGINT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "resource_site" VALUES('tokyo','',9000);
CREATE TABLE resource_subnet (
	id VARCHAR NOT NULL, 
	project_id VARCHAR NOT NULL, 
	network_id VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	description VARCHAR NOT NULL, 
	ip_version BIGINT NOT NULL, 
	cidr VARCHAR NOT NULL, 
	gateway_ip VARCHAR, 
	allocation_pools TEXT NOT NULL, 
	dns_nameservers TEXT NOT NULL, 
	host_routes TEXT NOT NULL, 
	enable_dhcp BOOLEAN NOT NULL, 
	ipv6_ra_mode VARCHAR, 
	ipv6_address_mode VARCHAR, 
	tags TEXT NOT NULL, 
	revision_number BIGINT NOT NULL, 
	created_at VARCHAR, 
	updated_at VARCHAR, 
	PRIMARY KEY (id)
);
INSERT INTO "resource_subnet" VALUES('5aa13e0b-5bf0-434e-8141-219eabbf2c2b','blue','c09b0555-43e9-4207-a364-4298595d8f5f','','',4,'10.0.0.0/24','10.0.0.1','[{"start":"10.0.0.2","end":"10.0.0.254"}]','[]','[]',1,NULL,NULL,'[]',1,'2026-11-28T14:16:21+00:00','2026-11-28T14:16:21+00:00');
INSERT INTO "resource_subnet" VALUES('7b981df7-43f5-415e-bda1-738bb8ccc85d','blue','c09b0555-43e9-4207-a364-4298595d8f5f','','',6,'fd00::/64','fd00::1','[{"start":"fd00::2","end":"fd00::ffff:ffff:ffff:ffff"}]','[]','[]',1,NULL,NULL,'[]',1,'2026-11-28T14:16:21+00:00','2026-11-28T14:16:21+00:00');
CREATE TABLE resource_transit_switch (
	id VARCHAR NOT NULL, 
	site_id VARCHAR NOT NULL, 
	datapath_id VARCHAR(16) NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE resource_user (
	id VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	password_hash VARCHAR NOT NULL, 
	enabled BOOLEAN NOT NULL, description VARCHAR DEFAULT '' NOT NULL, email VARCHAR DEFAULT '' NOT NULL, default_project_id VARCHAR, 
	PRIMARY KEY (id)
);
CREATE TABLE revisions (
	epoch INTEGER NOT NULL, 
	number BIGINT NOT NULL, 
	actor VARCHAR NOT NULL, 
	request_id VARCHAR NOT NULL, 
	source VARCHAR NOT NULL, 
	at VARCHAR NOT NULL, 
	PRIMARY KEY (epoch, number)
);
INSERT INTO "revisions" VALUES(1,1,'admin','req-11e3f952-7727-405e-a5a3-88cee2be9652','api from 127.0.0.1','2026-11-28T14:16:20.994014+00:00');
INSERT INTO "revisions" VALUES(1,2,'admin','req-720f7e1c-c565-4b77-b07d-884cd2156a5f','api from 127.0.0.1','2026-11-28T14:16:21.033778+00:00');
INSERT INTO "revisions" VALUES(1,3,'admin','req-4cdd9d9f-58e5-4f01-b7c8-da21c5c94af3','api from 127.0.0.1','2026-11-28T14:16:21.091857+00:00');
INSERT INTO "revisions" VALUES(1,4,'admin','req-9abf2269-187b-4e53-a005-21e18513428b','api from 127.0.0.1','2026-11-28T14:16:21.146428+00:00');
INSERT INTO "revisions" VALUES(1,5,'admin','req-1cd3845e-ab41-436c-9d00-c53fc40b9618','api from 127.0.0.1','2026-11-28T14:16:21.157157+00:00');
INSERT INTO "revisions" VALUES(1,6,'admin','req-d0277324-8ff4-42fc-975e-b8e9e5774674','api from 127.0.0.1','2026-11-28T14:16:21.238285+00:00');
INSERT INTO "revisions" VALUES(1,7,'admin','req-123afbd4-9285-4cf2-b2a6-0ad94adcc91e','api from 127.0.0.1','2026-11-28T14:16:21.355194+00:00');
INSERT INTO "revisions" VALUES(1,8,'admin','req-930171a6-11b8-4af7-9679-af48524c20dd','api from 127.0.0.1','2026-11-28T14:16:21.402580+00:00');
INSERT INTO "revisions" VALUES(1,9,'admin','req-ef6ed39d-c33c-4b06-92f7-1ae4143c6661','api from 127.0.0.1','2026-11-28T14:16:21.444574+00:00');
INSERT INTO "revisions" VALUES(1,10,'admin','req-8037ca0e-bbae-4408-ac0f-63eab1f66f35','api from 127.0.0.1','2026-11-28T14:16:21.560699+00:00');
INSERT INTO "revisions" VALUES(1,11,'admin','req-2de14258-9424-4a64-82b2-81491302fbde','api from 127.0.0.1','2026-11-28T14:16:21.634645+00:00');
INSERT INTO "revisions" VALUES(1,12,'admin','req-e2a7a289-abf3-4bad-b55e-d7b19cb7cab9','api from 127.0.0.1','2026-11-28T14:16:21.702351+00:00');
INSERT INTO "revisions" VALUES(1,13,'admin','req-9d2330d0-61f6-4439-8e9b-9e29a5f657ca','api from 127.0.0.1','2026-11-28T14:16:21.744001+00:00');
COMMIT;
