-- A database as the release with revision r0004 of the tables left it (sqlite3 .dump): a site, two hosts, a network of two
-- ports in a group of their own, a third one that was removed, a quota.
BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('r0004');
CREATE TABLE allocations (
	pool VARCHAR NOT NULL, 
	value BIGINT NOT NULL, 
	state VARCHAR NOT NULL, 
	since VARCHAR NOT NULL, 
	PRIMARY KEY (pool, value)
);
INSERT INTO "allocations" VALUES('host_key',1,'allocated','2026-11-28T14:15:57.772205+00:00');
INSERT INTO "allocations" VALUES('host_key',2,'allocated','2026-11-28T14:15:57.778361+00:00');
INSERT INTO "allocations" VALUES('network_key',1,'allocated','2026-11-28T14:15:57.788776+00:00');
INSERT INTO "allocations" VALUES('vni',4096,'allocated','2026-11-28T14:15:57.788776+00:00');
INSERT INTO "allocations" VALUES('group_key',1,'allocated','2026-11-28T14:15:57.817281+00:00');
INSERT INTO "allocations" VALUES('group_key',2,'allocated','2026-11-28T14:15:57.817281+00:00');
INSERT INTO "allocations" VALUES('port_key',1,'allocated','2026-11-28T14:15:57.837513+00:00');
INSERT INTO "allocations" VALUES('zone:h1',1,'allocated','2026-11-28T14:15:57.837513+00:00');
INSERT INTO "allocations" VALUES('port_key',2,'allocated','2026-11-28T14:15:57.854670+00:00');
INSERT INTO "allocations" VALUES('zone:h2',1,'allocated','2026-11-28T14:15:57.854670+00:00');
INSERT INTO "allocations" VALUES('port_key',3,'quarantined','2026-11-28T14:15:57.866981+00:00');
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
INSERT INTO "changes" VALUES(1,4,'network','7879d8fa-f521-4a57-a676-b2e4814c51fe',NULL,'{"id":"7879d8fa-f521-4a57-a676-b2e4814c51fe","project_id":"blue","name":"web","description":"","admin_state_up":true,"shared":false,"external":false,"mtu":8930,"port_security_enabled":true,"tags":[],"revision_number":1,"created_at":"2026-11-28T14:15:57+00:00","updated_at":"2026-11-28T14:15:57+00:00","key":1}');
INSERT INTO "changes" VALUES(1,4,'segment','39cd88aa-6d1c-45f8-a855-e7e3798fc4c9',NULL,'{"id":"39cd88aa-6d1c-45f8-a855-e7e3798fc4c9","network_id":"7879d8fa-f521-4a57-a676-b2e4814c51fe","network_type":"vxlan","physical_network":null,"segmentation_id":4096,"name":"","description":"","revision_number":1,"created_at":"2026-11-28T14:15:57+00:00","updated_at":"2026-11-28T14:15:57+00:00"}');
INSERT INTO "changes" VALUES(1,5,'subnet','4f96f43b-d5cc-46ed-86d7-707e3d844476',NULL,'{"id":"4f96f43b-d5cc-46ed-86d7-707e3d844476","project_id":"blue","network_id":"7879d8fa-f521-4a57-a676-b2e4814c51fe","name":"","description":"","ip_version":4,"cidr":"10.0.0.0/24","gateway_ip":"10.0.0.1","allocation_pools":[{"start":"10.0.0.2","end":"10.0.0.254"}],"dns_nameservers":[],"host_routes":[],"enable_dhcp":true,"ipv6_ra_mode":null,"ipv6_address_mode":null,"tags":[],"revision_number":1,"created_at":"2026-11-28T14:15:57+00:00","updated_at":"2026-11-28T14:15:57+00:00"}');
INSERT INTO "changes" VALUES(1,5,'network','7879d8fa-f521-4a57-a676-b2e4814c51fe','{"id":"7879d8fa-f521-4a57-a676-b2e4814c51fe","project_id":"blue","name":"web","description":"","admin_state_up":true,"shared":false,"external":false,"mtu":8930,"port_security_enabled":true,"tags":[],"revision_number":1,"created_at":"2026-11-28T14:15:57+00:00","updated_at":"2026-11-28T14:15:57+00:00","key":1}','{"id":"7879d8fa-f521-4a57-a676-b2e4814c51fe","project_id":"blue","name":"web","description":"","admin_state_up":true,"shared":false,"external":false,"mtu":8930,"port_security_enabled":true,"tags":[],"revision_number":2,"created_at":"2026-11-28T14:15:57+00:00","updated_at":"2026-11-28T14:15:57+00:00","key":1}');
INSERT INTO "changes" VALUES(1,6,'subnet','2ed5117a-423a-49fd-a219-65ce796841d5',NULL,'{"id":"2ed5117a-423a-49fd-a219-65ce796841d5","project_id":"blue","network_id":"7879d8fa-f521-4a57-a676-b2e4814c51fe","name":"","description":"","ip_version":6,"cidr":"fd00::/64","gateway_ip":"fd00::1","allocation_pools":[{"start":"fd00::2","end":"fd00::ffff:ffff:ffff:ffff"}],"dns_nameservers":[],"host_routes":[],"enable_dhcp":true,"ipv6_ra_mode":null,"ipv6_address_mode":null,"tags":[],"revision_number":1,"created_at":"2026-11-28T14:15:57+00:00","updated_at":"2026-11-28T14:15:57+00:00"}');
INSERT INTO "changes" VALUES(1,6,'network','7879d8fa-f521-4a57-a676-b2e4814c51fe','{"id":"7879d8fa-f521-4a57-a676-b2e4814c51fe","project_id":"blue","name":"web","description":"","admin_state_up":true,"shared":false,"external":false,"mtu":8930,"port_security_enabled":true,"tags":[],"revision_number":2,"created_at":"2026-11-28T14:15:57+00:00","updated_at":"2026-11-28T14:15:57+00:00","key":1}','{"id":"7879d8fa-f521-4a57-a676-b2e4814c51fe","project_id":"blue","name":"web","description":"","admin_state_up":true,"shared":false,"external":false,"mtu":8930,"port_security_enabled":true,"tags":[],"revision_number":3,"created_at":"2026-11-28T14:15:57+00:00","updated_at":"2026-11-28T14:15:57+00:00","key":1}');
INSERT INTO "changes" VALUES(1,7,'security_group','0798f576-deda-4615-acfe-082b954e0b2d',NULL,'{"id":"0798f576-deda-4615-acfe-082b954e0b2d","project_id":"blue","name":"default","description":"Default security group","stateful":true,"shared":false,"tags":[],"revision_number":1,"created_at":"2026-11-28T14:15:57+00:00","updated_at":"2026-11-28T14:15:57+00:00","key":1}');
INSERT INTO "changes" VALUES(1,7,'security_group_rule','c35d40fe-86d9-4dcb-9725-ec709537af2a',NULL,'{"id":"c35d40fe-86d9-4dcb-9725-ec709537af2a","project_id":"blue","security_group_id":"0798f576-deda-4615-acfe-082b954e0b2d","direction":"egress","ethertype":"IPv4","protocol":null,"port_range_min":null,"port_range_max":null,"remote_ip_prefix":null,"remote_group_id":null,"description":"","revision_number":1,"created_at":"2026-11-28T14:15:57+00:00","updated_at":"2026-11-28T14:15:57+00:00"}');
INSERT INTO "changes" VALUES(1,7,'security_group_rule','ce8aef8c-799a-413c-b8b6-784a078e3b79',NULL,'{"id":"ce8aef8c-799a-413c-b8b6-784a078e3b79","project_id":"blue","security_group_id":"0798f576-deda-4615-acfe-082b954e0b2d","direction":"egress","ethertype":"IPv6","protocol":null,"port_range_min":null,"port_range_max":null,"remote_ip_prefix":null,"remote_group_id":null,"description":"","revision_number":1,"created_at":"2026-11-28T14:15:57+00:00","updated_at":"2026-11-28T14:15:57+00:00"}');
INSERT INTO "changes" VALUES(1,7,'security_group_rule','3909f23c-492f-4244-aeb8-74cd55f06eca',NULL,'{"id":"3909f23c-492f-4244-aeb8-74cd55f06eca","project_id":"blue","security_group_id":"0798f576-deda-4615-acfe-082b954e0b2d","direction":"ingress","ethertype":"IPv4","protocol":null,"port_range_min":null,"port_range_max":null,"remote_ip_prefix":null,"remote_group_id":"0798f576-deda-4615-acfe-082b954e0b2d","description":"","revision_number":1,"created_at":"2026-11-28T14:15:57+00:00","updated_at":"2026-11-28T14:15:57+00:00"}');
INSERT INTO "changes" VALUES(1,7,'security_group_rule','61d1ecda-d8f5-4cb3-833d-376a6dd5ff5f',NULL,'{"id":"61d1ecda-d8f5-4cb3-833d-376a6dd5ff5f","project_id":"blue","security_group_id":"0798f576-deda-4615-acfe-082b954e0b2d","direction":"ingress","ethertype":"IPv6","protocol":null,"port_range_min":null,"port_range_max":null,"remote_ip_prefix":null,"remote_group_id":"0798f576-deda-4615-acfe-082b954e0b2d","description":"","revision_number":1,"created_at":"2026-11-28T14:15:57+00:00","updated_at":"2026-11-28T14:15:57+00:00"}');
INSERT INTO "changes" VALUES(1,7,'security_group','0fdc5fba-59a6-4b5f-802d-6d67ee1a1fa3',NULL,'{"id":"0fdc5fba-59a6-4b5f-802d-6d67ee1a1fa3","project_id":"blue","name":"open","description":"","stateful":true,"shared":false,"tags":[],"revision_number":1,"created_at":"2026-11-28T14:15:57+00:00","updated_at":"2026-11-28T14:15:57+00:00","key":2}');
INSERT INTO "changes" VALUES(1,7,'security_group_rule','015469f0-7e86-4e74-81bf-484ad001c1f7',NULL,'{"id":"015469f0-7e86-4e74-81bf-484ad001c1f7","project_id":"blue","security_group_id":"0fdc5fba-59a6-4b5f-802d-6d67ee1a1fa3","direction":"egress","ethertype":"IPv4","protocol":null,"port_range_min":null,"port_range_max":null,"remote_ip_prefix":null,"remote_group_id":null,"description":"","revision_number":1,"created_at":"2026-11-28T14:15:57+00:00","updated_at":"2026-11-28T14:15:57+00:00"}');
INSERT INTO "changes" VALUES(1,7,'security_group_rule','7aeb86fd-f5ab-4efa-a1c4-04a06e12bae3',NULL,'{"id":"7aeb86fd-f5ab-4efa-a1c4-04a06e12bae3","project_id":"blue","security_group_id":"0fdc5fba-59a6-4b5f-802d-6d67ee1a1fa3","direction":"egress","ethertype":"IPv6","protocol":null,"port_range_min":null,"port_range_max":null,"remote_ip_prefix":null,"remote_group_id":null,"description":"","revision_number":1,"created_at":"2026-11-28T14:15:57+00:00","updated_at":"2026-11-28T14:15:57+00:00"}');
INSERT INTO "changes" VALUES(1,8,'security_group_rule','65084185-ba8a-4859-90ec-04da2e560050',NULL,'{"id":"65084185-ba8a-4859-90ec-04da2e560050","project_id":"blue","security_group_id":"0fdc5fba-59a6-4b5f-802d-6d67ee1a1fa3","direction":"ingress","ethertype":"IPv4","protocol":"tcp","port_range_min":80,"port_range_max":80,"remote_ip_prefix":null,"remote_group_id":null,"description":"","revision_number":1,"created_at":"2026-11-28T14:15:57+00:00","updated_at":"2026-11-28T14:15:57+00:00"}');
INSERT INTO "changes" VALUES(1,8,'security_group','0fdc5fba-59a6-4b5f-802d-6d67ee1a1fa3','{"id":"0fdc5fba-59a6-4b5f-802d-6d67ee1a1fa3","project_id":"blue","name":"open","description":"","stateful":true,"shared":false,"tags":[],"revision_number":1,"created_at":"2026-11-28T14:15:57+00:00","updated_at":"2026-11-28T14:15:57+00:00","key":2}','{"id":"0fdc5fba-59a6-4b5f-802d-6d67ee1a1fa3","project_id":"blue","name":"open","description":"","stateful":true,"shared":false,"tags":[],"revision_number":2,"created_at":"2026-11-28T14:15:57+00:00","updated_at":"2026-11-28T14:15:57+00:00","key":2}');
INSERT INTO "changes" VALUES(1,9,'port','2a8f415b-2658-47f6-b837-c8768d4a9e77',NULL,'{"id":"2a8f415b-2658-47f6-b837-c8768d4a9e77","project_id":"blue","network_id":"7879d8fa-f521-4a57-a676-b2e4814c51fe","name":"web1","description":"","admin_state_up":true,"mac_address":2199023255553,"fixed_ips":[{"subnet_id":"4f96f43b-d5cc-46ed-86d7-707e3d844476","ip_address":"10.0.0.11"},{"subnet_id":"2ed5117a-423a-49fd-a219-65ce796841d5","ip_address":"fd00::11"}],"device_id":"","device_owner":"","security_groups":["0fdc5fba-59a6-4b5f-802d-6d67ee1a1fa3"],"port_security_enabled":true,"allowed_address_pairs":[{"ip_address":"10.0.0.100/32","mac_address":null}],"extra_dhcp_opts":[],"host_id":"h1","vnic_type":"normal","interface_name":"","profile":"","tags":[],"revision_number":1,"created_at":"2026-11-28T14:15:57+00:00","updated_at":"2026-11-28T14:15:57+00:00","key":1,"generation":1}');
INSERT INTO "changes" VALUES(1,9,'binding','2a8f415b-2658-47f6-b837-c8768d4a9e77@h1',NULL,'{"port_id":"2a8f415b-2658-47f6-b837-c8768d4a9e77","network_id":"7879d8fa-f521-4a57-a676-b2e4814c51fe","host_id":"h1","state":"active","generation":1,"zone":1,"since":"2026-11-28T14:15:57+00:00","reason":""}');
INSERT INTO "changes" VALUES(1,10,'port','9fafe06b-1335-47af-871c-ace0a09659cb',NULL,'{"id":"9fafe06b-1335-47af-871c-ace0a09659cb","project_id":"blue","network_id":"7879d8fa-f521-4a57-a676-b2e4814c51fe","name":"web2","description":"","admin_state_up":true,"mac_address":2199023255554,"fixed_ips":[{"subnet_id":"4f96f43b-d5cc-46ed-86d7-707e3d844476","ip_address":"10.0.0.12"},{"subnet_id":"2ed5117a-423a-49fd-a219-65ce796841d5","ip_address":"fd00::12"}],"device_id":"","device_owner":"","security_groups":["0fdc5fba-59a6-4b5f-802d-6d67ee1a1fa3"],"port_security_enabled":true,"allowed_address_pairs":[],"extra_dhcp_opts":[],"host_id":"h2","vnic_type":"normal","interface_name":"","profile":"","tags":[],"revision_number":1,"created_at":"2026-11-28T14:15:57+00:00","updated_at":"2026-11-28T14:15:57+00:00","key":2,"generation":1}');
INSERT INTO "changes" VALUES(1,10,'binding','9fafe06b-1335-47af-871c-ace0a09659cb@h2',NULL,'{"port_id":"9fafe06b-1335-47af-871c-ace0a09659cb","network_id":"7879d8fa-f521-4a57-a676-b2e4814c51fe","host_id":"h2","state":"active","generation":1,"zone":1,"since":"2026-11-28T14:15:57+00:00","reason":""}');
INSERT INTO "changes" VALUES(1,11,'port','05b1df7c-07f2-4715-8dc5-cef3d8268b02',NULL,'{"id":"05b1df7c-07f2-4715-8dc5-cef3d8268b02","project_id":"blue","network_id":"7879d8fa-f521-4a57-a676-b2e4814c51fe","name":"gone","description":"","admin_state_up":true,"mac_address":274973439784712,"fixed_ips":[{"subnet_id":"4f96f43b-d5cc-46ed-86d7-707e3d844476","ip_address":"10.0.0.2"},{"subnet_id":"2ed5117a-423a-49fd-a219-65ce796841d5","ip_address":"fd00::2"}],"device_id":"","device_owner":"","security_groups":["0798f576-deda-4615-acfe-082b954e0b2d"],"port_security_enabled":true,"allowed_address_pairs":[],"extra_dhcp_opts":[],"host_id":"","vnic_type":"normal","interface_name":"","profile":"","tags":[],"revision_number":1,"created_at":"2026-11-28T14:15:57+00:00","updated_at":"2026-11-28T14:15:57+00:00","key":3,"generation":0}');
INSERT INTO "changes" VALUES(1,12,'port','05b1df7c-07f2-4715-8dc5-cef3d8268b02','{"id":"05b1df7c-07f2-4715-8dc5-cef3d8268b02","project_id":"blue","network_id":"7879d8fa-f521-4a57-a676-b2e4814c51fe","name":"gone","description":"","admin_state_up":true,"mac_address":274973439784712,"fixed_ips":[{"subnet_id":"4f96f43b-d5cc-46ed-86d7-707e3d844476","ip_address":"10.0.0.2"},{"subnet_id":"2ed5117a-423a-49fd-a219-65ce796841d5","ip_address":"fd00::2"}],"device_id":"","device_owner":"","security_groups":["0798f576-deda-4615-acfe-082b954e0b2d"],"port_security_enabled":true,"allowed_address_pairs":[],"extra_dhcp_opts":[],"host_id":"","vnic_type":"normal","interface_name":"","profile":"","tags":[],"revision_number":1,"created_at":"2026-11-28T14:15:57+00:00","updated_at":"2026-11-28T14:15:57+00:00","key":3,"generation":0}',NULL);
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
INSERT INTO "meta" VALUES('cluster','03aabd77-8b6d-4962-bf34-2c7b96748669');
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
	zone BIGINT NOT NULL, since VARCHAR, reason VARCHAR DEFAULT '' NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "resource_binding" VALUES('2a8f415b-2658-47f6-b837-c8768d4a9e77@h1','2a8f415b-2658-47f6-b837-c8768d4a9e77','7879d8fa-f521-4a57-a676-b2e4814c51fe','h1','active',1,1,'2026-11-28T14:15:57+00:00','');
INSERT INTO "resource_binding" VALUES('9fafe06b-1335-47af-871c-ace0a09659cb@h2','9fafe06b-1335-47af-871c-ace0a09659cb','7879d8fa-f521-4a57-a676-b2e4814c51fe','h2','active',1,1,'2026-11-28T14:15:57+00:00','');
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
	ended_at VARCHAR, 
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
INSERT INTO "resource_network" VALUES('7879d8fa-f521-4a57-a676-b2e4814c51fe','blue','web','',1,0,0,8930,1,'[]',3,'2026-11-28T14:15:57+00:00','2026-11-28T14:15:57+00:00',1);
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
INSERT INTO "resource_port" VALUES('2a8f415b-2658-47f6-b837-c8768d4a9e77','blue','7879d8fa-f521-4a57-a676-b2e4814c51fe','web1','',1,2199023255553,'[{"subnet_id":"4f96f43b-d5cc-46ed-86d7-707e3d844476","ip_address":"10.0.0.11"},{"subnet_id":"2ed5117a-423a-49fd-a219-65ce796841d5","ip_address":"fd00::11"}]','','','["0fdc5fba-59a6-4b5f-802d-6d67ee1a1fa3"]',1,'[{"ip_address":"10.0.0.100/32","mac_address":null}]','[]','h1','normal','','[]',1,'2026-11-28T14:15:57+00:00','2026-11-28T14:15:57+00:00',1,1,'');
INSERT INTO "resource_port" VALUES('9fafe06b-1335-47af-871c-ace0a09659cb','blue','7879d8fa-f521-4a57-a676-b2e4814c51fe','web2','',1,2199023255554,'[{"subnet_id":"4f96f43b-d5cc-46ed-86d7-707e3d844476","ip_address":"10.0.0.12"},{"subnet_id":"2ed5117a-423a-49fd-a219-65ce796841d5","ip_address":"fd00::12"}]','','','["0fdc5fba-59a6-4b5f-802d-6d67ee1a1fa3"]',1,'[]','[]','h2','normal','','[]',1,'2026-11-28T14:15:57+00:00','2026-11-28T14:15:57+00:00',2,1,'');
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
INSERT INTO "resource_security_group" VALUES('0798f576-deda-4615-acfe-082b954e0b2d','blue','default','Default security group',1,0,'[]',1,'2026-11-28T14:15:57+00:00','2026-11-28T14:15:57+00:00',1);
INSERT INTO "resource_security_group" VALUES('0fdc5fba-59a6-4b5f-802d-6d67ee1a1fa3','blue','open','',1,0,'[]',2,'2026-11-28T14:15:57+00:00','2026-11-28T14:15:57+00:00',2);
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
INSERT INTO "resource_security_group_rule" VALUES('c35d40fe-86d9-4dcb-9725-ec709537af2a','blue','0798f576-deda-4615-acfe-082b954e0b2d','egress','IPv4',NULL,NULL,NULL,NULL,NULL,'',1,'2026-11-28T14:15:57+00:00','2026-11-28T14:15:57+00:00');
INSERT INTO "resource_security_group_rule" VALUES('ce8aef8c-799a-413c-b8b6-784a078e3b79','blue','0798f576-deda-4615-acfe-082b954e0b2d','egress','IPv6',NULL,NULL,NULL,NULL,NULL,'',1,'2026-11-28T14:15:57+00:00','2026-11-28T14:15:57+00:00');
INSERT INTO "resource_security_group_rule" VALUES('3909f23c-492f-4244-aeb8-74cd55f06eca','blue','0798f576-deda-4615-acfe-082b954e0b2d','ingress','IPv4',NULL,NULL,NULL,NULL,'0798f576-deda-4615-acfe-082b954e0b2d','',1,'2026-11-28T14:15:57+00:00','2026-11-28T14:15:57+00:00');
INSERT INTO "resource_security_group_rule" VALUES('61d1ecda-d8f5-4cb3-833d-376a6dd5ff5f','blue','0798f576-deda-4615-acfe-082b954e0b2d','ingress','IPv6',NULL,NULL,NULL,NULL,'0798f576-deda-4615-acfe-082b954e0b2d','',1,'2026-11-28T14:15:57+00:00','2026-11-28T14:15:57+00:00');
INSERT INTO "resource_security_group_rule" VALUES('015469f0-7e86-4e74-81bf-484ad001c1f7','blue','0fdc5fba-59a6-4b5f-802d-6d67ee1a1fa3','egress','IPv4',NULL,NULL,NULL,NULL,NULL,'',1,'2026-11-28T14:15:57+00:00','2026-11-28T14:15:57+00:00');
INSERT INTO "resource_security_group_rule" VALUES('7aeb86fd-f5ab-4efa-a1c4-04a06e12bae3','blue','0fdc5fba-59a6-4b5f-802d-6d67ee1a1fa3','egress','IPv6',NULL,NULL,NULL,NULL,NULL,'',1,'2026-11-28T14:15:57+00:00','2026-11-28T14:15:57+00:00');
INSERT INTO "resource_security_group_rule" VALUES('65084185-ba8a-4859-90ec-04da2e560050','blue','0fdc5fba-59a6-4b5f-802d-6d67ee1a1fa3','ingress','IPv4','tcp',80,80,NULL,NULL,'',1,'2026-11-28T14:15:57+00:00','2026-11-28T14:15:57+00:00');
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
INSERT INTO "resource_segment" VALUES('39cd88aa-6d1c-45f8-a855-e7e3798fc4c9','7879d8fa-f521-4a57-a676-b2e4814c51fe','vxlan',NULL,4096,'','',1,'2026-11-28T14:15:57+00:00','2026-11-28T14:15:57+00:00');
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
INSERT INTO "resource_subnet" VALUES('4f96f43b-d5cc-46ed-86d7-707e3d844476','blue','7879d8fa-f521-4a57-a676-b2e4814c51fe','','',4,'10.0.0.0/24','10.0.0.1','[{"start":"10.0.0.2","end":"10.0.0.254"}]','[]','[]',1,NULL,NULL,'[]',1,'2026-11-28T14:15:57+00:00','2026-11-28T14:15:57+00:00');
INSERT INTO "resource_subnet" VALUES('2ed5117a-423a-49fd-a219-65ce796841d5','blue','7879d8fa-f521-4a57-a676-b2e4814c51fe','','',6,'fd00::/64','fd00::1','[{"start":"fd00::2","end":"fd00::ffff:ffff:ffff:ffff"}]','[]','[]',1,NULL,NULL,'[]',1,'2026-11-28T14:15:57+00:00','2026-11-28T14:15:57+00:00');
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
	enabled BOOLEAN NOT NULL, 
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
INSERT INTO "revisions" VALUES(1,1,'admin','req-a3f2704f-53ba-4f8b-aa54-04f0d2497dce','api from 127.0.0.1','2026-11-28T14:15:57.725832+00:00');
INSERT INTO "revisions" VALUES(1,2,'admin','req-39c9ba4d-253a-4bc5-ae78-9e961990633b','api from 127.0.0.1','2026-11-28T14:15:57.772205+00:00');
INSERT INTO "revisions" VALUES(1,3,'admin','req-f8552ef0-f231-4135-981a-bf7099498e74','api from 127.0.0.1','2026-11-28T14:15:57.778361+00:00');
INSERT INTO "revisions" VALUES(1,4,'admin','req-10ec124c-cf4d-49ff-a2f5-aa2aba02d587','api from 127.0.0.1','2026-11-28T14:15:57.788776+00:00');
INSERT INTO "revisions" VALUES(1,5,'admin','req-b33504aa-5b76-4ce6-8966-f2df4703a448','api from 127.0.0.1','2026-11-28T14:15:57.797926+00:00');
INSERT INTO "revisions" VALUES(1,6,'admin','req-795d90f5-b075-49bb-87d1-9930e105653b','api from 127.0.0.1','2026-11-28T14:15:57.812478+00:00');
INSERT INTO "revisions" VALUES(1,7,'admin','req-d0cb10e4-c02b-4c39-8387-5cdc7ed3410c','api from 127.0.0.1','2026-11-28T14:15:57.817281+00:00');
INSERT INTO "revisions" VALUES(1,8,'admin','req-8d7f65a1-a1c0-4420-9b68-c3fb08348c68','api from 127.0.0.1','2026-11-28T14:15:57.832296+00:00');
INSERT INTO "revisions" VALUES(1,9,'admin','req-99688f3a-d46e-4daf-a76f-6f233f4ae4b1','api from 127.0.0.1','2026-11-28T14:15:57.837513+00:00');
INSERT INTO "revisions" VALUES(1,10,'admin','req-0067349c-8223-44df-bbb2-2d54106ea288','api from 127.0.0.1','2026-11-28T14:15:57.854670+00:00');
INSERT INTO "revisions" VALUES(1,11,'admin','req-90490d5a-59a3-4f52-9b53-32ae7d1cf599','api from 127.0.0.1','2026-11-28T14:15:57.858565+00:00');
INSERT INTO "revisions" VALUES(1,12,'admin','req-eab79777-47a8-4b13-92d4-41dedd7e84bd','api from 127.0.0.1','2026-11-28T14:15:57.866981+00:00');
INSERT INTO "revisions" VALUES(1,13,'admin','req-7ab10885-a6d2-4b12-9b5f-0a9b6d5c987f','api from 127.0.0.1','2026-11-28T14:15:57.891621+00:00');
COMMIT;
